"""Lambda functions that are deployed in the simulation run as they would in AWS Lambda.

moto keeps functions, layers, permissions and asynchronous settings; it runs code in Docker only. Here the deployed zip
runs under AWS's own runtime client (`awslambdaric`) in a fresh interpreter, which sees the function, its layers and
what the Lambda runtime ships (boto3), and nothing else of this machine's packages. Its calls go to the simulator's
server under a session of the function's role.

    with serving() as url, lambda_runtime(url) as runtime:
        runtime.invoke(function_arn, event)

The interpreter is the one that `Runtime` names, where this machine has it; where it has not, the one that runs the
simulator, and the function's log says so. What differs from AWS Lambda: the machine's architecture; memory is not
limited; one process per function takes its invocations one after the other; the retries of asynchronous invocations
follow without a wait; the time to start is not limited to 10 seconds.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (the Runtime API),
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (the environment) and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (records of failed invocations)
"""

from aws_simulator.deployment.lambda_runtime.environment import Invocation
from aws_simulator.deployment.lambda_runtime.runtime import LambdaRuntime, lambda_runtime

__all__ = ["Invocation", "LambdaRuntime", "lambda_runtime"]
