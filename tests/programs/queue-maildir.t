#!/bin/sh
# queue-maildir: what it takes, where it puts it, what it answers.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
unset QUEUE_MAILDIR ERROR_FD TMPDIR
export CONTROLDIR="$work/control"
mkdir "$work/control"

# --- one message
maildirs A
message 'Subject: hello' '' 'first' '.second' ''
envelope s@example.org r@example.org
run queue-maildir -d "$work/A"
is "$code" 0 'a message is taken'
is "$(files A/new A/tmp A/cur)" 1 'it is one file'
file=$(echo "$work"/A/new/*)
is "$(sed -n 1p "$file")" 'Return-Path: <s@example.org>' 'Return-Path'
is "$(sed -n 2p "$file")" 'Delivered-To: r@example.org' 'Delivered-To'
like "$(sed -n 3p "$file")" "^Received: \\(qmail [0-9]+ invoked by uid $(id -u)\\); [0-9]+ [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} -0000\$" 'Received'
content "$file" >"$work/got"
same_file "$work/got" "$work/message" 'then the message, byte for byte'
like "$(stat -c %a "$file")" '^600$' 'nobody else may read it'
like "$file" '/[0-9]+\.M[0-9]{6}P[0-9]+Q1\.[^/:]+$' 'its name is a Maildir name'
like "$(cat "$work/log")" '^queue-maildir: delivered qp [0-9]+ bytes [0-9]+ from <s@example.org> to <r@example.org>$' 'the log has one line'
qp=$(sed 's/.* qp \([0-9]*\) .*/\1/' "$work/log")
like "$(sed -n 3p "$file")" "qmail $qp " 'qp is the pid of the Received line'

# --- bytes of all kinds
bytes() {
	maildirs A
	run queue-maildir -d "$work/A"
	content "$(echo "$work"/A/new/*)" >"$work/got"
	is "$code" 0 "$1: taken"
	same_file "$work/got" "$work/message" "$1: unchanged"
}
: >"$work/message"
bytes 'no byte at all'
head -c 70000 /dev/urandom >"$work/message"
bytes '70,000 bytes of anything'
printf 'no line end' >"$work/message"
bytes 'a last line without its end'
printf 'Received: only\n' >"$work/message"
bytes 'a Received field alone'
printf 'a\0b\nReceived:\r\n\0\n' >"$work/message"
bytes 'NULs and CRs'
seq 1 200000 | head -c 1048575 >"$work/message"
bytes 'a byte less than the memory'
seq 1 200000 | head -c 1048576 >"$work/message"
bytes 'just as much as the memory'
seq 1 200000 | head -c 1048577 >"$work/message"
bytes 'a byte more, in place'
cp "$work/message" "$work/long"

pipe() {
	# shellcheck disable=SC2002 # the pipe is what this is about
	cat "$work/message" | queue-maildir -d "$work/A" 1<"$work/envelope" 2>"$work/log"
}
maildirs A
pipe
is $? 0 'through a pipe: taken'
content "$(echo "$work"/A/new/*)" >"$work/got"
same_file "$work/got" "$work/message" 'through a pipe: unchanged'
maildirs A
mkdir "$work/scratch"
TMPDIR=$work/scratch pipe
is "$?$(files scratch A/new)" 01 'TMPDIR is used and left empty'
maildirs A
TMPDIR=$work/nowhere pipe
is "$?$(files A/new A/tmp)" 530 'without a folder for temporary files: 53'
maildirs A
perl -MSocket -MPOSIX -e 'socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0) or die;
	open my $envelope, "<", $ARGV[1] or die;
	if (!fork) {
		close $theirs;
		local $/;
		open my $message, "<", $ARGV[0] or die;
		print {$ours} <$message>;
		exit;
	}
	dup2(fileno $theirs, 0);
	dup2(fileno $envelope, 1);
	close $ours;
	exec "queue-maildir", "-d", $ARGV[2]' \
	"$work/message" "$work/envelope" "$work/A" 2>"$work/log"
is $? 0 'from a socket: taken'
content "$(echo "$work"/A/new/*)" >"$work/got"
same_file "$work/got" "$work/message" 'from a socket: unchanged'
maildirs A
printf 'XXXX' | cat - "$work/long" >"$work/offset"
(
	dd bs=1 count=4 of=/dev/null 2>/dev/null
	queue-maildir -d "$work/A" 1<"$work/envelope" 2>"$work/log"
) <"$work/offset"
is $? 0 'a file that has been read in part: taken'
content "$(echo "$work"/A/new/*)" >"$work/got"
same_file "$work/got" "$work/long" 'a file that has been read in part: the rest'

# --- addresses in the header and in the log
maildirs A
message 'x'
envelope '' "$(printf 'a\nb\tc\033[m@x')"
run queue-maildir -d "$work/A"
is "$(head -n 2 "$work"/A/new/*)" 'Return-Path: <>
Delivered-To: a_b_c_[m@x' 'control bytes become _, the empty sender stays'
like "$(cat "$work/log")" 'from <> to <a\?b\?c\?\[m@x>$' 'the log shows them as ?'

# --- several recipients
maildirs A B
cat >"$work/maildirs" <<END
# who gets what
one@example.org:$work/A
Two@Example.ORG:$work/B/

@example.net:$work/B
user@[IPv6:::1]:$work/A  
END
queue-maildir -c "$work/control/maildirs.cdb" <"$work/maildirs"
is $? 0 'the map is compiled'
message 'x'
envelope s@x one@example.org TWO@example.org any@EXAMPLE.net 'user@[IPv6:::1]' one@example.org
run
is "$code" 0 'five recipients'
is "$(delivered A one@example.org)$(delivered A 'user@\[IPv6:::1\]')" 21 'two Maildirs for them, one of them twice'
is "$(delivered B TWO@example.org)$(delivered B any@EXAMPLE.net)" 11 'upper case is lower case; a domain has one'
is "$(files A/new B/new A/tmp B/tmp)" 5 'no other file'
maildirs A B
envelope s@x
run
is "$code$(files A/new B/new A/tmp B/tmp)" 00 'no recipient at all is no error'
like "$(cat "$work/log")" 'to nobody$' 'and is said'

# --- nobody's address
refused() {
	is "$code" "$1" "$2: exit $1"
	is "$(cat "$work/text")" "$3" "$2: the text"
	is "$(files A/new A/tmp B/new B/tmp)" 0 "$2: nothing was written"
}
no_mailbox='Dno mailbox here by that name (#5.1.1)'
for nobody in three@example.org example.net @ '' one; do
	envelope s@x one@example.org "$nobody"
	run
	refused 82 "unknown <$nobody>" "$no_mailbox"
done
like "$(cat "$work/log")" '^queue-maildir: refused qp .*<one>: no mailbox' 'the log says it'
run queue-maildir -d "$work/B"
is "$code$(delivered A one@example.org)$(delivered B one)" 011 '-d is for everybody else'
maildirs A B
QUEUE_MAILDIR=$work/B run
is "$code$(delivered B one)" 01 'QUEUE_MAILDIR is the same'
maildirs A B
echo ":$work/B" | cat "$work/maildirs" - | queue-maildir -c "$work/other.cdb"
envelope s@x one@example.org '' any@nowhere
run queue-maildir -m "$work/other.cdb" -d "$work/A"
is "$code$(files A/new B/new)" 03 'the map has an end for everybody else, too'
is "$(files B/new)" 2 'which comes before -d'
if command -v cdb >/dev/null 2>&1; then
	is "$(cdb -q "$work/control/maildirs.cdb" two@example.org)" "$work/B/" 'the map is a plain cdb'
fi
maildirs A B
perl -e 'print "Fs\@x\0", "Tone\@example.org\0" x 1000, "\0"' >"$work/envelope"
[ -n "${SANITIZE:-}" ] || {
	run
	is "$code$(files A/new A/tmp)" 01000 'a thousand recipients'
	maildirs A
}
perl -e 'print "Fs\@x\0", "Tone\@example.org\0" x 1001, "\0"' >"$work/envelope"
run
refused 82 'one more' 'Dtoo many recipients (#5.5.3)'

# --- where the text goes
envelope s@x nobody
code=0
queue-maildir <"$work/message" 1<"$work/envelope" 2>/dev/null 4>"$work/text" 6>&- || code=$?
refused 82 'descriptor 4' "$no_mailbox"
: >"$work/other"
code=0
ERROR_FD=7 queue-maildir <"$work/message" 1<"$work/envelope" 2>/dev/null 4>"$work/other" 6>&4 7>"$work/text" || code=$?
refused 82 ERROR_FD "$no_mailbox"
is "$(files other | cat "$work/other" -)" 1 'and not to another one'
: >"$work/text"
code=0
queue-maildir <"$work/message" 1<"$work/envelope" 2>/dev/null 4>&- 6>&- || code=$?
refused 31 'no descriptor' ''
# Five files are open when the sixth Maildir is found missing: numbers 4 and 6
# are ours then.
envelope s@x one@example.org one@example.org one@example.org one@example.org one@example.org a@b
code=0
queue-maildir -d "$work/missing" <"$work/message" 1<"$work/envelope" 2>"$work/log" 4>&- 6>&- || code=$?
refused 71 'no descriptor, a temporary failure' ''

# --- envelopes
maildirs A B
bad() {
	printf "$1" >"$work/envelope"
	run queue-maildir -d "$work/A"
	refused "$2" "envelope $1" ''
}
for cut in '' F Fs 'Fs\0' 'Fs\0T' 'Fs\0Tr' 'Fs\0Tr\0'; do
	bad "$cut" 54
	is "$(cat "$work/log")" '' "envelope $cut: no word in the log"
done
bad 'xs\0Tr\0\0' 91
bad 'Fs\0Xr\0\0' 91
bad 'Fs\0Tr\0\0more' 91
like "$(cat "$work/log")" malformed 'the log says so'
long=$(printf '%01002d' 0)
envelope s@x "$long"
run queue-maildir -d "$work/A"
is "$code$(files A/new)" 01 'an address of 1002 bytes'
maildirs A
envelope s@x "${long}0"
run queue-maildir -d "$work/A"
refused 11 'an address of 1003 bytes' ''
envelope "${long}0" r
run queue-maildir -d "$work/A"
refused 11 'a sender of 1003 bytes' ''
perl -e 'print "Fs\0", "T", "r" x 99, "\0" for 1 .. 45000' >"$work/envelope"
run queue-maildir -d "$work/A"
refused 53 'an envelope of 4.5 MB' ''

# --- descriptors that are not there
envelope s@x r
code=0
queue-maildir -d "$work/A" <&- 1<"$work/envelope" 2>/dev/null || code=$?
is "$code$(files A/new A/tmp)" 540 'without descriptor 0: 54'
code=0
queue-maildir -d "$work/A" <"$work/message" 1>&- 2>/dev/null || code=$?
is "$code$(files A/new A/tmp)" 540 'without descriptor 1: 54'
code=0
queue-maildir -d "$work/A" <"$work/message" 1<"$work/envelope" 2>&- || code=$?
content "$(echo "$work"/A/new/*)" >"$work/got"
same_file "$work/got" "$work/message" 'without a log: no line of it in the message'
is "$code" 0 'without a log: taken'

# --- signals
mkfifo "$work/fifo"
start_waiting() {
	queue-maildir -d "$work/A" <"$work/message" 1<"$work/fifo" 2>"$work/log" 4>&- 6>&- &
	pid=$!
	started="$started $pid"
	exec 9>"$work/fifo"
	wait_until grep -q '^SigCgt:.*2000$' "/proc/$pid/status"
}
start_waiting
kill -ALRM $pid
code=0
wait $pid || code=$?
is $code 52 'the alarm after a day: 52'
exec 9>&-
maildirs A
start_waiting
kill -HUP $pid && kill -QUIT $pid && kill -INT $pid && kill -PIPE $pid && kill -XFSZ $pid
cat "$work/envelope" >&9
exec 9>&-
code=0
wait $pid || code=$?
is "$code$(files A/new)" 01 'other signals are let pass'

# --- folders and disks
temporary='ZTemporary error on maildir delivery (#4.3.0)'
maildirs A B
envelope s@x one@example.org two@example.org
rm -r "$work/B"
run
is "$code$(cat "$work/text")" "82$temporary" 'a missing Maildir is a temporary error'
is "$(files A/new A/tmp)" 0 'nobody else has got it'
like "$(cat "$work/log")" "deferred qp .* to <one@example.org> <two@example.org>: $work/B/: file does not exist\$" 'the log names it'
maildirs B
rmdir "$work/B/new"
run
is "$code$(files A/new A/tmp B/tmp)" 820 'a missing new/: taken back'
echo file >"$work/B/new"
run
is "$code$(files A/new A/tmp B/tmp)" 820 'a file for a folder: taken back'
rm "$work/B/new"
mkdir "$work/B/new"
if [ "$(id -u)" -ne 0 ]; then
	for folder in tmp new; do
		chmod 500 "$work/B/$folder"
		run
		is "$code$(files A/new A/tmp B/new B/tmp)" 820 "no right to write into $folder/"
		like "$(cat "$work/log")" 'access denied' "$folder/: the log says why"
		chmod 700 "$work/B/$folder"
	done
fi
run
is "$code$(delivered A one@example.org)$(delivered B two@example.org)" 011 'once they are there, both get it'
maildirs A B
cp "$work/long" "$work/message"
limited() { ulimit -f 100 && exec queue-maildir; }
run limited
refused 53 'a limit on files' ''
pipe_limited() {
	(
		ulimit -f 100
		queue-maildir 1<"$work/envelope" 2>"$work/log"
	) <"$work/fifo"
}
cat "$work/message" >"$work/fifo" 2>/dev/null &
code=0
pipe_limited || code=$?
refused 53 'a limit on temporary files' ''
like "$(cat "$work/log")" 'warning: cannot store the message: ' 'the log says so'
if unshare -rm true 2>/dev/null; then
	# shellcheck disable=SC2016 # for the inner shell
	run unshare -rm sh -c 'mount -t tmpfs -o size=1m tmpfs "$1/B" && mkdir "$1/B/tmp" "$1/B/new" || exit 99
		queue-maildir; echo $? $(find "$1/B" -type f | wc -l) >"$1/inner"' sh "$work"
	is "$(cat "$work/inner")" '53 0' 'a full disk: 53'
	is "$(files A/new A/tmp)" 0 'a full disk: nobody has got it'
	like "$(cat "$work/log")" 'out of disk space' 'a full disk: the log says so'
fi
message x
few() { ulimit -n 5 && exec queue-maildir; }
envelope s@x one@example.org two@example.org one@example.org
run few
is "$code$(files A/new A/tmp B/new B/tmp)" 820 'too few descriptors: taken back'

# --- the map's text
compiles() {
	code=0
	printf "$1" | queue-maildir -c "$work/new.cdb" 2>"$work/log" || code=$?
}
rm -f "$work/new.cdb"
compiles '\n#x\na@b:/x\nnothing\na@b:relative\na b:/x\na\001b:/x\n'
is "$code" 100 'bad lines: 100'
is "$(cat "$work/log")" "queue-maildir: fatal: line 4: no colon
queue-maildir: fatal: line 5: the Maildir is not an absolute path
queue-maildir: fatal: line 6: space in the address
queue-maildir: fatal: line 7: control character
queue-maildir: fatal: $work/new.cdb stays as it was: 4 bad lines" 'each of them is named'
is "$(echo "$work"/new.cdb*)" "$work/new.cdb*" 'no file is left'
compiles "a@b:/$(printf '%04000d' 0)\\n"
is "$code" 100 'a path that is too long: 100'
compiles 'a@b:/x'
is "$code$(stat -c %s "$work/new.cdb" | grep -c '^2[0-9]*$')" 01 'a last line without its end'
cp "$work/new.cdb" "$work/before"
compiles 'c@d\n'
is "$code" 100 'a bad text again'
same_file "$work/new.cdb" "$work/before" 'the old map stays'
compiles ''
is "$code" 0 'an empty text'
code=0
queue-maildir -c "$work/nowhere/map.cdb" </dev/null 2>"$work/log" || code=$?
is "$code" 111 'a folder that is not there: 111'
code=0
(cd "$work" && queue-maildir -c here.cdb) </dev/null 2>"$work/log" || code=$?
is "$code" 0 'a map in this folder'

# --- settings
maildirs A B
envelope s@x one@example.org
setting() {
	name=$1 wanted=$2
	shift 2
	run "$@"
	is "$code$(files A/new A/tmp)" "${wanted}0" "$name: $wanted"
}
setting 'a map that is not there' 55 queue-maildir -d "$work/A" -m "$work/nowhere.cdb"
echo no cdb >"$work/damaged.cdb"
setting 'a map that is none' 55 queue-maildir -d "$work/A" -m "$work/damaged.cdb"
head -c 2050 "$work/control/maildirs.cdb" >"$work/damaged.cdb"
setting 'a damaged map' 55 queue-maildir -d "$work/A" -m "$work/damaged.cdb"
if command -v cdb >/dev/null 2>&1; then
	printf '+15,1:one@example.org->A\n\n' | cdb -c "$work/damaged.cdb"
	setting 'a relative path in the map' 55 queue-maildir -d "$work/A" -m "$work/damaged.cdb"
fi
setting 'neither map nor -d' 55 env CONTROLDIR="$work" queue-maildir
like "$(cat "$work/log")" "^queue-maildir: fatal: cannot open $work/maildirs.cdb: file does not exist\$" 'the log says so'
setting 'a relative -d' 100 queue-maildir -d A
setting 'an unknown option' 100 queue-maildir -x
like "$(cat "$work/log")" '^queue-maildir: usage: queue-maildir ' 'the usage'
setting 'a word too many' 100 queue-maildir more
run env QUEUE_MAILDIR= queue-maildir
is "$code$(files A/new)" 01 'an empty QUEUE_MAILDIR is none'

# --- at once
maildirs A
message same
many=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
	queue-maildir <"$work/message" 1<"$work/envelope" 2>/dev/null &
	many="$many $!"
	(echo "other $i" | queue-maildir 1<"$work/envelope" 2>/dev/null) &
	many="$many $!"
done
started="$started $many"
failures=0
for pid in $many; do wait "$pid" || failures=$((failures + 1)); done
is $failures 0 'fifty at once: all taken'
is "$(files A/new A/tmp)" 50 'fifty files'
is "$(grep -l '^same$' "$work"/A/new/* | wc -l)" 25 'twenty-five of them the same'
is "$(sed -n 's/^other //p' "$work"/A/new/* | sort -n | uniq -u | wc -l)" 25 'twenty-five different'
run
is "$code$(files A/new A/tmp)" 051 'and the same once more is one more'

# --- one recipient, a thousand times: not a million attempts to have a file
maildirs A
message again
cp "$work/envelope" "$work/envelope.before"
# shellcheck disable=SC2046 # a word each
envelope s@x $(yes one@example.org | head -n 1000)
run sh -c 'ulimit -t 1; exec queue-maildir'
is "$code$(files A/new)$(files A/tmp)" 010000 'a thousand copies in less than a second of work'
mv "$work/envelope.before" "$work/envelope"

# --- 100 MB
if [ -z "${SANITIZE:-}" ]; then
	seq 1 13000000 | head -c 104857600 >"$work/message"
	rm "$work/fifo"
	mkfifo "$work/fifo"
	# The log's pipe is full: the program stands still at its last line, and
	# its peak can be read.
	peak() {
		maildirs A
		exec 9<>"$work/fifo"
		dd if=/dev/zero of="$work/fifo" oflag=nonblock bs=4096 2>/dev/null
		queue-maildir <"$1" 1<"$work/envelope" 2>"$work/fifo" 9>&- &
		pid=$!
		started="$started $pid"
		stands_still() {
			[ "$(files A/new)" = 1 ] && [ "$(files A/tmp)" = 0 ] &&
				grep -q '^State:.S' "/proc/$pid/status"
		}
		wait_until stands_still
		hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
		echo "# $name: resident memory $hwm kB at most"
		[ "${hwm:-9999}" -lt 4096 ]
		is $? 0 "$name: resident memory below 4 MB"
		# The next reader comes before the last one goes: with none the
		# program would end, and opening the pipe would never.
		exec 8<"$work/fifo"
		cat <&8 >/dev/null 9>&- &
		exec 9>&- 8<&-
		wait $pid
		is $? 0 "$name: taken"
		content "$(echo "$work"/A/new/*)" >"$work/got"
		same_file "$work/got" "$work/message" "$name: unchanged"
	}
	name='100 MB in a file'
	peak "$work/message"
	name='100 MB in a pipe'
	mkfifo "$work/in"
	cat "$work/message" >"$work/in" &
	peak "$work/in"
fi
done_testing
