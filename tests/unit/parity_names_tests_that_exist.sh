#!/bin/sh
# Each test that docs/reference/parity.md and feedback-rules.md name is there: a table of claims that cannot rot unnoticed.
set -u
cd "${BH_SRC:?}" || exit 1
missing=0
for file in docs/reference/parity.md docs/reference/feedback-rules.md; do
	# In tables, names of at least three words in backquotes are tests.
	for name in $(grep '^|' "$file" | grep -oE '`[a-z0-9]+(_[a-z0-9]+){2,}`' | tr -d '`' | sort -u); do
		grep -rqsE "START_TEST\\($name\\)" tests && continue
		echo "$file names $name, which is no test" >&2
		missing=$((missing + 1))
	done
done
[ "$missing" = 0 ]
