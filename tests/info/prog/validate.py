#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""validate.py SCHEMA < DOCUMENT - by python3-jsonschema, formats included"""
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as f:
    schema = json.load(f)
validator = jsonschema.Draft7Validator(
    schema, format_checker=jsonschema.draft7_format_checker
)
validator.check_schema(schema)
errors = list(validator.iter_errors(json.load(sys.stdin)))
for error in errors:
    path = ".".join(str(part) for part in error.absolute_path)
    print(f"{path}: {error.message}", file=sys.stderr)
sys.exit(1 if errors else 0)
