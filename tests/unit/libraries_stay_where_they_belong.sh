#!/bin/sh
# A library that only one process needs is linked by that one alone: what it costs and what it breaks stays there.
#   libraries_stay_where_they_belong.sh FOLDER_OF_PROGRAMS
status=0
for program in "$1"/*; do
	name=${program##*/}
	for library in $(objdump -p "$program" | sed -n 's/^ *NEEDED *\(lib[a-z]*\)[^a-z].*/\1/p'); do
		case $library:$name in
		libfyaml:bh-config) ;;
		libzmq:bh-control | libzmq:bulkhead | libmsgpackc:bh-control | libmsgpackc:bulkhead) ;;
		libmsgpack-c:bh-control | libmsgpack-c:bulkhead) ;;
		libasound:bh-surface | libasound:bh-midi) ;;
		libmsgpackc:bh-obs | libmsgpack-c:bh-obs | libwebsockets:bh-obs | libsodium:bh-obs) ;;
		libncursesw:bh-simdesk | libtinfo:bh-simdesk) ;;
		libfyaml:* | libzmq:* | libmsgpack*:* | libasound:* | libncursesw:* | libwebsockets:* | libsodium:*)
			echo "$name links $library"
			status=1
			;;
		esac
	done
done
exit $status
