"""selfdoubt: how well image classifiers know when they are wrong."""
