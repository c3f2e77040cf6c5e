#!/bin/sh
# A filter when the machine or the disk fails it: each of its system calls, up to
# the one by which it becomes the next program, is made to fail, and is made its
# last. What clamd finds never passes; what it does not find is delivered whole
# when the answer is 0, and not at all when it is another; nobody's mail is refused
# for ever because of a fault; and no file is left.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/peers/chain.sh"
. "$tests/maildir.sh"
. "$tests/daemons.sh"
[ -z "${SANITIZE:-}" ] || {
	echo '1..0 # SKIP a sanitizer makes calls of its own'
	exit 0
}
need strace
strace -o /dev/null true 2>/dev/null || {
	echo '1..0 # SKIP strace may not trace here'
	exit 0
}
unset ERROR_FD QUEUE_MAILDIR CLAMD_SOCKET FILTER_TIMEOUT FILTER_MAXSIZE FILTER_FAIL \
	FILTER_QUARANTINE SIMSCAN_DEBUG SIMSCAN_DEBUG_FILES
start_clamd
chmod 755 "$work"
TMPDIR=$work/scratch
export TMPDIR
mkdir "$TMPDIR"
envelope s@x.example r@x.example

# filter STRACE-OPTION…: the message is a file, or comes through a pipe
filter() {
	maildirs A
	: >"$work/trace"
	case $through in
	file) run traced "$@" ;;
	pipe) run piped "$@" ;;
	esac
}
# shellcheck disable=SC2154 # from daemons.sh
traced() {
	exec strace -o "$work/trace" "$@" \
		filter-clamd -s "$clamd_socket" queue-maildir -d "$work/A"
}
piped() {
	cat | traced "$@"
}

# calls: what the filter does, a name a line, from behind its own exec to the
# one of the next program, or its end
calls() {
	awk '/^execve\(/ && n++ { print "execve"; exit }
		n && match($0, /^[a-z_0-9]+\(/) && !/^(execve|exit_group)\(/ {
			print substr($0, 1, RLENGTH - 1) }' "$work/trace"
}

# right: the last run's result is one of those that may be
right() {
	there=$(files A/new)
	grep -Eq '\(INJECTED\)|^\+\+\+ killed by SIGKILL' "$work/trace" || return 1
	[ "$(files scratch)" -eq 0 ] || return 1
	# clamd's verdict has a text, or is a bare 31 when nobody takes the text.
	case "$kind $code: $there $(head -c 1 "$work/text")" in
	'clean 0: 1 ') [ "$(delivered A r@x.example)" -eq 1 ] ;;
	'virus 82: 0 D' | 'virus 31: 0 ') ;;
	*' 0: '* | *' 1'[1-9]:* | *' 2'?:* | *' 3'?:* | *' 40: '*) false ;;
	*' 82: 0 Z') ;;
	*' 82: '*) false ;;
	*) [ "$there" -eq 0 ] ;;
	esac
}

# sweep KIND THROUGH: $kind of message, all calls, all faults
sweep() {
	kind=$1 through=$2
	normal=0
	[ "$kind" = clean ] || normal=82
	filter -e trace=all
	is "$code" $normal "$kind, $through: without a fault"
	calls >"$work/calls"
	for fault in error=EIO error=ENOSPC signal=KILL; do
		tried=0 wrong='' codes=''
		sort "$work/calls" | uniq -c >"$work/names"
		while read -r times name; do
			nth=0 all=$times
			while [ $nth -lt "$all" ]; do
				nth=$((nth + 1))
				# What comes again and again is tried at its ends.
				[ $nth -le 4 ] || [ $nth -gt $((all - 2)) ] || continue
				tried=$((tried + 1))
				filter -e "inject=$name:$fault:when=$nth"
				codes="$codes$code
"
				right || wrong="$wrong $name:$nth:$code:$(cat "$work/text"):$(files A/new scratch)"
			done
		done <"$work/names"
		is "$wrong" '' "$kind, $through, $fault: nothing passes that should not, nothing is lost, nothing left"
		echo "# $tried faults; exit codes: $(printf %s "$codes" | sort -n | uniq -c | awk '{ printf "%s %s times, ", $2, $1 }')"
		[ $tried -ge 20 ]
		is $? 0 "$kind, $through, $fault: every call was tried"
	done
	filter -e trace=none
	is "$code" $normal "$kind, $through: and once more without a fault"
}

message 'Subject: clean' '' 'what must arrive'
sweep clean file
sweep clean pipe
message 'Subject: virus' '' "$(eicar)"
sweep virus file
message 'Subject: a file of its own' ''
seq 1 200000 >>"$work/message"
sweep clean pipe
done_testing
