"""Checks an audit log by the rules of docs/AUDIT_LOG.md alone, with nothing of Sallyport: the links, and the signatures with openssl.

Usage: check_chain.py DIRECTORY
"""

import base64
import glob
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile

directory = sys.argv[1]
signatures = records = 0
for series in ["requests", "unauthenticated"]:
    link = bytes(32)
    # Closed files, the oldest first, then the one that is written to.
    closed = sorted(glob.glob(f"{directory}/{series}-*.jsonl*"))
    for path in closed + [f"{directory}/{series}.jsonl"]:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            for line in file:
                event = json.loads(line)
                body, seal = line.rsplit(b',"sallyport.dev/chain":"', 1)
                if b'","sallyport.dev/signature":"' in body:
                    signed, signature = body.rsplit(b'","sallyport.dev/signature":"', 1)
                    with tempfile.TemporaryDirectory() as folder:
                        with open(f"{folder}/message", "wb") as out:
                            out.write(b"sallyport.dev/audit/v1\n" + link + signed)
                        with open(f"{folder}/signature", "wb") as out:
                            out.write(base64.b64decode(signature.rstrip(b'"')))
                        subprocess.run(
                            ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", f"{directory}/checkpoint.pub", "-rawin",
                             "-in", f"{folder}/message", "-sigfile", f"{folder}/signature"],
                            check=True, stdout=subprocess.DEVNULL)
                    signatures += 1
                link = hashlib.sha256(link + body).digest()
                assert event["annotations"]["sallyport.dev/chain"] == link.hex(), f"{path}: {event['auditID']}"
                records += 1
assert signatures > 0
print(f"{records} records, {signatures} signatures")
