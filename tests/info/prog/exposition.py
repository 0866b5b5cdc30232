#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""exposition.py < TEXT - read Prometheus' text format by its own client library

Prints every sample as NAME{LABELS} VALUE, labels sorted. Refused: a metric whose HELP
or TYPE comes twice or after its samples, samples of one metric that do not stand
together, and two samples of the same labels.
"""
import sys

from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.read()
seen, described = set(), set()
for line in text.splitlines():
    if line.startswith("#"):
        kind, name = line.split(" ", 3)[1:3]
        if (kind, name) in described:
            sys.exit(f"{kind} of {name} comes twice")
        described.add((kind, name))
families = set()
for family in text_string_to_metric_families(text):
    if family.name in families:
        sys.exit(f"the samples of {family.name} do not stand together")
    families.add(family.name)
    if not family.documentation or not family.type:
        sys.exit(f"{family.name} is not described")
    for sample in family.samples:
        labels = ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
        key = f"{sample.name}{{{labels}}}"
        if key in seen:
            sys.exit(f"{key} comes twice")
        seen.add(key)
        print(f"{key} {sample.value:.15g}")
