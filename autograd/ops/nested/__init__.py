"""Nested tensors: tensors of many sizes in one."""
