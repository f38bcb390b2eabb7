"""Tables from anywhere: files, folders, data sets, what a program holds."""
