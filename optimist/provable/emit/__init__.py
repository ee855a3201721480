"""From the checked tree to an image: instructions, frames, the constant pool, and the worst number of
steps.
"""
