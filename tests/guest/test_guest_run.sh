#!/bin/sh
# guest-run itself: the command's words, output and exit code come through, from a folder with a blank in its name
set -u
dir=$(mktemp -d "/tmp/guest run.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cp "$(dirname "$0")/guest-run" "$dir/guest-run"
cd "$dir" || exit 1
./guest-run -n || exit $? # 77: no guest here, and it has said why

failed=0
check() {
	[ "$2" = "$3" ] || { echo "$1: '$2', not '$3'"; failed=1; }
}
./guest-run -m loop -w "$dir" -- sh -c '
	printf "%s|" "$@"; pwd; uname -r >&2; echo kept >"$3/file"; echo lost >/etc/lost
	seq 1 200000 | sha1sum; exit 42' x "a  'b'" '$HOME "c"' "$dir" >out 2>err
check "exit code" $? 42
check "words and folder" "$(head -n 1 out)" "a  'b'|\$HOME \"c\"|$dir|$dir"
check "much output" "$(tail -n 1 out)" "$(seq 1 200000 | sha1sum)"
case $(cat err) in *-amd64) ;; *) check "kernel" "$(cat err)" "a Debian kernel" ;; esac
check "shared folder" "$(cat file)" kept
check "outside" "$(ls /etc/lost 2>/dev/null)" ""
./guest-run -m loop -- sh -c 'kill -SEGV $$' 2>err
check "signal" $? 139
[ $failed = 0 ] && echo "guest-run: all well"
exit $failed
