#!/bin/sh
# The queue programs when the power fails: 20 sessions send mail, a file system of
# the test's own is cut off at a random moment, put back, and looked into. Every
# acknowledged message is there, whole, and nothing is there that is not whole. And
# programs that only say that they have flushed are found out, so it would show.
# CUTS=200 makes it longer, SEED repeats one.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
is_root 'the power is cut' && is_here mkfs.ext4 'the power is cut' || done_testing

# cut OPTION… KIND PROGRAM: $found is the last line, in full in $work/out
cut() {
	power-cut ${SEED:+-s "$SEED"} -d "$work" "$@" >"$work/out" 2>&1
	code=$?
	found=$(tail -n 1 "$work/out")
	echo "# $(sed -n 's/^seed/seed/p' "$work/out"): $found"
}
# number WORD: what stands behind it
number() {
	printf '%s\n' "$found" | sed -n "s/.*\\<$1 \\([0-9]*\\).*/\\1/p"
}

cut -n 1 maildir "$bin/queue-maildir"
if [ "$code" -eq 99 ]; then
	if [ "${CI:-}" = true ]; then
		not_ok 'the power is cut' "no ext4 in a loop device: $(cat "$work/out")"
	else
		skip 'no ext4 in a loop device' 'the power is cut'
	fi
	done_testing
fi

# survives KIND PROGRAM [PATH]
survives() {
	cut -n "${CUTS:-8}" "$1" "${3:-$bin/$2}"
	is "$code $(number cuts)" "0 ${CUTS:-8}" "$2: the power is cut ${CUTS:-8} times"
	[ "$(number acknowledged)" -gt 40 ]
	is $? 0 "$2: while messages were being acknowledged"
	is "$(number refused)" 0 "$2: and none was refused before"
	is "lost $(number lost) $(grep '^lost' "$work/out" | head -n 5)" 'lost 0 ' \
		"$2: no acknowledged message is lost"
	is "broken $(number broken) $(grep '^broken' "$work/out" | head -n 5)" 'broken 0 ' \
		"$2: nothing is there that is not whole"
	is "$(number twice)" 0 "$2: nor twice"
	is "$(number after)" 40 "$2: and it goes on"
}
# is_found_out KIND PROGRAM: what does not flush loses mail
is_found_out() {
	cut -u -n 60 "$1" "$BUILD/unsynced/$2"
	[ "$(number before)" -gt 0 ]
	is "$code $?" '0 0' "$2: without the flush of folders messages are lost"
	UNSYNCED=files
	export UNSYNCED
	cut -u -n 60 "$1" "$BUILD/unsynced/$2"
	unset UNSYNCED
	[ "$(number before)" -gt 0 ] && [ "$(number broken)" -gt 0 ]
	is "$code $?" '0 0' "$2: without the flush of files, and what is there is broken"
}
# is_found_out_at_once KIND PROGRAM: the same where one flush is that of all
is_found_out_at_once() {
	UNSYNCED=all
	export UNSYNCED
	cut -u -n 60 "$1" "$BUILD/unsynced/$2"
	unset UNSYNCED
	[ "$(number before)" -gt 0 ]
	is "$code $?" '0 0' "$2: without any flush messages are lost"
}

survives maildir queue-maildir
is_found_out maildir queue-maildir
survives queue qmail-queue
is_found_out queue qmail-queue
is_found_out_at_once queue qmail-queue
# Where every file has to have a name from its birth, and nothing is known of the
# file system, it keeps its promise, too.
UNSYNCED=nothing
export UNSYNCED
survives queue 'without nameless files' "$BUILD/unsynced/qmail-queue"
done_testing
