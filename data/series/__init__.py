"""Time series: files, grids, calendars, windows."""
