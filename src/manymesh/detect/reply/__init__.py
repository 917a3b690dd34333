"""Reading what a vision language model wrote: untrusted text in, boxes out.

``tokens`` cuts the text into marks, strings and words; ``tree`` builds a tree of them; ``find`` looks for boxes in it;
``scale`` turns what was found into pixel boxes. Nothing here evaluates, imports or recurses into the text, every
step is linear in it, and no text raises an error.
"""
