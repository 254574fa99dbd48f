"""Commands that print what they measured; none of them is a test and none asserts a time."""
