"""Tuning: many trials of a task, each with other options, judged on validation alone.

A worker (:mod:`birnn.tasks.tuning.tuning`) takes trials from a study, which lies in a storage that
many workers share, and has each trained by a process of its own
(:mod:`birnn.tasks.tuning.trainer`), whose time and memory it bounds.
"""
