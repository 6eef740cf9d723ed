"""The commands of `fraudstream`, one file each: every one is the composition root of its process."""
