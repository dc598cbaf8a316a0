"""Other libraries, each as far as it can say the same thing: ``WORKLOADS`` names those that it knows, by what makes the
call. A library that is not installed is left out.
"""
