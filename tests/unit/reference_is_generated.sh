#!/bin/sh
# The configuration reference in the tree is what the tables of the programs say now.
#   reference_is_generated.sh PROGRAM FILE
"$1" --reference | diff -u "$2" - && exit 0
echo "$2 is not what the tables say (+ would be right): build the target 'reference', and commit it with the change"
exit 1
