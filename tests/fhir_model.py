"""Reads FHIR resources, one a line, and lets an independent model of FHIR R4 check each."""

import json
import sys

from fhir.resources.R4B import get_fhir_model_class

checked = 0
for line in sys.stdin:
    resource = json.loads(line)
    get_fhir_model_class(resource["resourceType"]).parse_raw(line)
    checked += 1
print(checked)
