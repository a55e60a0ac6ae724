"""The report: one HTML page that shows why plans run or do not, and the picture of a plan's week by itself."""
