"""Names of columns of tables of images, by which jobs read them and rules count their classes."""

LABELS = ("label", "labels", "fine_label")  # the first that is there
