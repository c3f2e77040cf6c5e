#!/bin/sh
# qmail-qfilter: filters as people wrote them for it, in both dialects.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
unset ERROR_FD TMPDIR QQF_DIALECT QREGEX FILTER_TIMEOUT
export CONTROLDIR="$work/control" QUEUE_DIR="$work/queue"
export QQF_QMAILQUEUE="$tests/queue-stub" QUEUE_PLAN=exit=0
mkdir "$work/control"

# filter NAME: a script from standard input, $work/NAME
filter() {
	cat >"$work/$1"
	chmod 755 "$work/$1"
}
# the_queue: an empty one
the_queue() {
	rm -rf "$QUEUE_DIR"
	mkdir "$QUEUE_DIR"
}
# queued: how many messages the queue program was given
queued() {
	find "$QUEUE_DIR" -mindepth 1 -maxdepth 1 | wc -l
}
# qfilter ARGUMENT…: once, with a queue of its own
qfilter() {
	the_queue
	run qmail-qfilter "$@"
}
shown() {
	tr '\0' '|' <"$QUEUE_DIR/1/envelope"
}

message 'Subject: hello' '' 'first line'
envelope s@example.org one@example.org two@example.net

# --- nothing to do
qfilter
is "$code$(queued)" 01 'no filter at all: it is queued'
same_file "$QUEUE_DIR/1/message" "$work/message" 'the message as it was'
same_file "$QUEUE_DIR/1/envelope" "$work/envelope" 'the envelope as it was'
qfilter true -- true
is "$code$(queued)" 01 'filters that read and write nothing'
same_file "$QUEUE_DIR/1/message" "$work/message" 'leave the message'
same_file "$QUEUE_DIR/1/envelope" "$work/envelope" 'and the envelope'
pid=$(the_queue; qmail-qfilter true <"$work/message" 1<"$work/envelope" 2>&- 4>&- & echo $!; wait)
is "$(sed -n 's/^pid //p' "$QUEUE_DIR/1/about")" "$pid" \
	'the queue program is the same process'
qfilter --
is "$code$(queued)" 01 'no filter before --: none at all'
qfilter true --
is "$code$(queued)" 01 'nothing behind the last --'

# --- what filters were written for
filter add-header <<'END'
#!/bin/sh
echo "X-Filtered: by $0 for $QMAILUSER at $QMAILHOST"
cat
END
filter body <<'END'
#!/bin/sh
exec sed 's/first/second/'
END
qfilter "$work/add-header" -- "$work/body"
is "$code" 0 'a header and a sed'
is "$(head -n 1 "$QUEUE_DIR/1/message")" \
	"X-Filtered: by $work/add-header for s at example.org" 'the header is there'
is "$(tail -n 1 "$QUEUE_DIR/1/message")" 'second line' 'the sed has been'
is "$(wc -l <"$QUEUE_DIR/1/message")" $(($(wc -l <"$work/message") + 1)) \
	'and all the rest'

filter rewrite <<'END'
#!/usr/bin/perl
# Gives everything for example.net to one box, and bounces to another one.
open my $in, '<&=3' or die;
open my $out, '>&=4' or die;
local $/ = "\0";
while (<$in>) {
	s/^F.*\0/Fnew-sender\@example.com\0/s;
	s/^T.*\@example\.net\0/Tbox\@example.com\0/s;
	print $out $_;
}
END
filter show <<'END'
#!/bin/sh
for name in QMAILPPID QMAILUSER QMAILHOST QMAILRCPTS NUMRCPTS ENVSIZE MSGSIZE QMAILNAME; do
	eval "value=\$$name; set=\${$name+set}"
	printf '%s\n' "$name ${set:-unset} $value"
done >>"$QUEUE_DIR/shown"
END
QMAILNAME=somebody qfilter "$work/show" -- "$work/rewrite" -- "$work/add-header" -- "$work/show"
is "$code" 0 'the envelope is rewritten'
is "$(tr '\0' '|' <"$QUEUE_DIR/1/envelope")" \
	'Fnew-sender@example.com|Tone@example.org|Tbox@example.com||' 'as the filter said'
sed "s/^QMAILPPID set $$\$/QMAILPPID ours/" "$QUEUE_DIR/shown" >"$work/got"
sizes=$(wc -c <"$work/envelope")
{
	echo "QMAILPPID ours"
	echo 'QMAILUSER set s'
	echo 'QMAILHOST set example.org'
	echo 'QMAILRCPTS set one@example.org
two@example.net'
	echo
	echo 'NUMRCPTS set 2'
	echo "ENVSIZE set $sizes"
	echo "MSGSIZE set $(wc -c <"$work/message")"
	echo 'QMAILNAME unset '
	echo "QMAILPPID ours"
	echo 'QMAILUSER set new-sender'
	echo 'QMAILHOST set example.com'
	echo 'QMAILRCPTS set one@example.org
box@example.com'
	echo
	echo 'NUMRCPTS set 2'
	echo "ENVSIZE set $(wc -c <"$QUEUE_DIR/1/envelope")"
	echo "MSGSIZE set $(wc -c <"$QUEUE_DIR/1/message")"
	echo 'QMAILNAME unset '
} >"$work/wanted"
# The variables of two filters, one after the other; a shell's eval drops the
# last of two line ends.
sed -i '/^$/d' "$work/wanted" "$work/got"
same_file "$work/got" "$work/wanted" 'each filter finds the variables as they are by then'
like "$(cat "$QUEUE_DIR/1/about")" '^env QMAILUSER=new-sender$' 'so does the queue program'

envelope '' "$(printf 'odd\nlines@example.org')"
qfilter "$work/show"
like "$(cat "$QUEUE_DIR/shown")" '^QMAILUSER set $' 'the empty sender: no user'
like "$(cat "$QUEUE_DIR/shown")" '^QMAILHOST set $' 'and no host'
envelope 'a@b@example.org' r@example.org
qfilter "$work/show"
like "$(cat "$QUEUE_DIR/shown")" '^QMAILUSER set a@b$' 'the last @ parts user and host'
envelope 'nodomain' r@example.org
qfilter "$work/show"
like "$(grep -E 'USER|HOST' "$QUEUE_DIR/shown" | tr '\n' ' ')" \
	'QMAILUSER set nodomain QMAILHOST set ' 'a sender without a host'
envelope s@example.org one@example.org two@example.net

# --- descriptors
filter seek <<'END'
#!/usr/bin/perl
# Reads all of it twice, as filters do that look first.
local $/;
my $first = <STDIN>;
seek STDIN, 0, 0 or exit 32;
my $second = <STDIN>;
exit 33 if $first ne $second;
open my $in, '<&=3' or exit 34;
my $envelope = <$in>;
seek $in, 0, 0 or exit 34;
exit 35 if $envelope !~ /\AF.*\0\0\z/s || $envelope ne <$in>;
print $second;
END
qfilter "$work/seek" -- "$work/seek"
is "$code" 0 'message and envelope may be read again from 0 on'
same_file "$QUEUE_DIR/1/message" "$work/message" 'it is whole'
printf 'not this' | cat - "$work/message" >"$work/offset"
the_queue
(
	dd bs=8 count=1 of=/dev/null 2>/dev/null
	qmail-qfilter true -- "$work/seek" 1<"$work/envelope" 2>"$work/log" 6>"$work/text" 4>&-
) <"$work/offset"
is $? 0 "a message in a file's middle: filters find it at 0"
same_file "$QUEUE_DIR/1/message" "$work/message" 'it is whole, too'
the_queue
# shellcheck disable=SC2002 # the pipe is what this is about
cat "$work/message" | qmail-qfilter "$work/seek" 1<"$work/envelope" 2>"$work/log" 4>&-
is $? 0 'the same from a pipe'
filter files <<'END'
#!/bin/sh
for fd in 0 1 2 3 4 5 6 7 8 9; do
	[ ! -e "/proc/$$/fd/$fd" ] || printf %s $fd
done >>"$QUEUE_DIR/files"
END
qfilter "$work/files" -- "$work/files"
is "$(cat "$QUEUE_DIR/files")" 01234560123456 'a filter has 0 to 6'
like "$(cat "$QUEUE_DIR/1/about")" '^descriptors 0 1 2 6( |$)' 'the queue program has what we had'

# --- another queue program
filter name-queue <<'END'
#!/bin/sh
printf '%s\0' "$1" >&5
END
cat >"$work/other-queue" <<END
#!/bin/sh
exec '$tests/queue-stub'
END
chmod 755 "$work/other-queue"
QQF_QMAILQUEUE=/nonexistent qfilter "$work/name-queue" "$work/other-queue"
is "$code$(queued)" 01 'a filter names the queue program on descriptor 5'
qfilter "$work/name-queue" "$work/a-very-long-name-that-is-none-at-all" -- \
	"$work/name-queue" "$work/other-queue"
is "$code$(queued)" 01 'the last one counts'
QQF_QMAILQUEUE=/nonexistent qfilter true -- true -- -- sh -c 'exec "$0"' "$work/other-queue"
is "$code$(queued)" 01 'a command line behind -- --'
QQF_QMAILQUEUE=/nonexistent qfilter -- "$work/other-queue"
is "$code$(queued)" 01 'also without a filter'
qfilter "$work/name-queue" "$work/other-queue" -- -- false
is "$code$(queued)" 01 'what a filter names comes before it'
QQF_QMAILQUEUE=/nonexistent qfilter true
is "$code$(queued)" 1200 'QQF_QMAILQUEUE that is not there: 120'
like "$(cat "$work/log")" 'unable to run /nonexistent: ' 'it says so'
cp "$bin/qmail-qfilter" "$work/qmail-qfilter"
cp "$work/other-queue" "$work/qmail-queue"
the_queue
(
	unset QQF_QMAILQUEUE
	export QMAILQUEUE=/nonexistent
	run "$work/qmail-qfilter" true
	echo "$code" >"$work/code"
)
is "$(cat "$work/code")$(queued)" 01 'usually qmail-queue beside it; QMAILQUEUE is not looked at'

# --- exit codes
filter exits <<'END'
#!/bin/sh
echo changed
exit "$1"
END
# codes DIALECT: what becomes of each, and whether it was queued
codes() {
	for each in 0 1 2 11 31 51 71 81 82 88 91 99 100 111 120 255; do
		QQF_DIALECT=$1 qfilter "$work/exits" $each -- "$work/add-header"
		printf '%s' "$each:$code/$(queued) "
	done
}
same='11:11/0 31:31/0 51:51/0 71:71/0 81:81/0 82:82/0 88:88/0 91:91/0 99:0/0'
is "$(codes bruceg)" "0:0/1 1:1/0 2:2/0 $same 100:100/0 111:111/0 120:120/0 255:255/0 " \
	'the codes of the first family'
is "$(codes sagredo)" "0:0/1 1:1/0 2:0/0 $same 100:31/0 111:71/0 120:120/0 255:255/0 " \
	'the codes of the second family'
QQF_DIALECT=other qfilter true
is "$code$(queued)" 550 'a dialect that nobody speaks: 55'
qfilter sh -c 'kill -SEGV $$'
is "$code$(queued)" 810 'a filter that is killed: 81'
like "$(cat "$work/log")" '^qmail-qfilter: deferred qp [0-9]+ .* to <one@example.org> <two@example.net>: sh: killed by signal 11$' 'it says so'
qfilter "$work/nonexistent"
is "$code$(queued)" 810 'a filter that is not there: 81'
like "$(cat "$work/log")" "unable to run .*/nonexistent: " 'it says so'
qfilter "$work/exits" 111
like "$(cat "$work/log")" '^qmail-qfilter: deferred qp .*/exits: exit code 111$' 'what is to come again'
qfilter "$work/exits" 31
like "$(cat "$work/log")" '^qmail-qfilter: refused qp .*/exits: exit code 31$' 'what is not'
qfilter "$work/exits" 99
like "$(cat "$work/log")" '^qmail-qfilter: discarded qp .*/exits: exit code 99$' '99 is logged'

# --- a text for the client
filter six <<'END'
#!/bin/sh
printf 'DNo, thank you (#5.7.1)' >&6
exit 82
END
qfilter "$work/six"
is "$code$(cat "$work/text")" '82DNo, thank you (#5.7.1)' 'on descriptor 6'
filter four <<'END'
#!/bin/sh
printf 'ZCome back later (#4.7.1)\n' >&4
exit 88
END
qfilter "$work/four"
is "$code$(cat "$work/text")" '82ZCome back later (#4.7.1)' 'on descriptor 4, where older families have it'
filter two <<'END'
#!/bin/sh
echo 'DI do not like it' >&2
echo 'a line for the log' >&2
exit 88
END
qfilter "$work/two"
is "$code$(cat "$work/text")" 88 'standard error is the log'
QQF_DIALECT=sagredo qfilter "$work/two"
is "$code$(cat "$work/text")" '82DI do not like it' 'in the second dialect it may hold the text'
like "$(cat "$work/log")" '^a line for the log$' 'and is logged as well'
QQF_DIALECT=sagredo qfilter sh -c 'echo Dear all >&2'
is "$code$(queued)$(cat "$work/text")" 01 'but only with such an exit code'
ERROR_FD=2 QQF_DIALECT=sagredo qfilter "$work/two"
like "$code$(cat "$work/log")" 'DI do not like itqmail-qfilter: ' 'ERROR_FD is where it goes then'

# --- envelopes that are none
filter bad <<'END'
#!/bin/sh
printf "$1" >&4
END
# bad_codes DIALECT
bad_codes() {
	for each in 'Fs@x\0Tr@x\0' 'Ts@x\0\0' 'nonsense' 'Fs@x\0\0'; do
		QQF_DIALECT=$1 qfilter "$work/bad" "$each"
		printf '%s' "$code/$(queued) "
	done
}
is "$(bad_codes bruceg)" '91/0 91/0 91/0 0/1 ' "a filter's bad envelope: 91"
is "$(bad_codes sagredo)" '79/0 79/0 79/0 0/1 ' "79 in the second dialect"
qfilter perl -e 'open my $out, ">&=4"; print $out "Fs\@x\0T" . "x" x 1003 . "\0\0"'
is "$code$(queued)" 110 "a filter's address that is too long: 11"
printf 'Xs@x\0\0' >"$work/envelope"
qfilter true
is "$code$(queued)" 910 "the caller's bad envelope: 91"
QQF_DIALECT=sagredo qfilter true
is "$code$(queued)" 790 '79 in the second dialect'
printf 'Fs@x\0Tr@x\0' >"$work/envelope"
qfilter touch "$QUEUE_DIR/ran"
is "$code$(queued)$(cat "$work/log")" 540 'the caller has gone: 54, no filter is run'
envelope s@example.org one@example.org

# --- what filters do to us
FILTER_TIMEOUT=1 qfilter sh -c "sleep 100 & echo \$! >'$work/sleeper'; wait"
is "$code$(queued)" 520 'a filter that hangs: 52'
wait_until sh -c "! kill -0 $(cat "$work/sleeper")" || waited_in_vain 'the end of sleep'
is $? 0 'and what it has started is gone as well'
FILTER_TIMEOUT=soon qfilter true
is "$code$(queued)" 550 'a time that is none: 55'
qfilter perl -e '$line = "x" x 99 . "\n"; print $line for 1 .. 200000'
is "$code$(wc -c <"$QUEUE_DIR/1/message")" 020000000 'a filter that makes 20 MB of it'
QQF_DIALECT=sagredo qfilter perl -e '$line = "x" x 99 . "\n"; print STDERR $line for 1 .. 20000'
is "$code$(wc -c <"$work/log")" 02000000 'a filter that logs 2 MB'
qfilter sh -c 'sleep 100 <&- >&- 2>&- 3>&- 4>&- 5>&- 6>&- & echo $! >"$0"' "$work/sleeper"
is "$code$(queued)" 01 'what a filter leaves behind is not waited for'
kill "$(cat "$work/sleeper")"
mkdir "$work/scratch"
TMPDIR=$work/scratch qfilter "$work/add-header"
is "$code$(find "$work/scratch" -mindepth 1 | wc -l)" 00 'TMPDIR is left empty'
TMPDIR=$work/nowhere qfilter "$work/add-header"
is "$code$(queued)" 530 'no folder for files: 53'
qfilter perl -e 'exit !($SIG{PIPE} // "DEFAULT" eq "DEFAULT")'
is "$code" 0 'filters find SIGPIPE as usual'
qfilter perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new, my $old = POSIX::SigSet->new);
	exit 32 if grep { $old->ismember($_) } 1 .. 31;
	exit 33 if umask == 077 || alarm 0'
is "$code" 0 'no signal blocked, no alarm, no umask of ours'
perl -e 'print "Fs\@x\0", map({ "Trecipient$_\@a-rather-long-domain.example\0" } 1 .. 4000), "\0"' \
	>"$work/envelope"
qfilter true
is "$code$(queued)" 810 'more recipients than a variable holds: 81'
envelope s@example.org one@example.org
run sh -c 'trap "" CHLD; exec qmail-qfilter true'
is "$code" 0 'a caller that ignores SIGCHLD'

# --- control/qfilters
export QQF_DIALECT=sagredo
cat >"$work/control/qfilters" <<END
# filters for our senders
example.org:echo one >>\$QUEUE_DIR/ran; cat
*.example.org:echo two >>\$QUEUE_DIR/ran
EXAMPLE.*:echo three \$NEW \${OLD-unset} >>\$QUEUE_DIR/ran:NEW=value,OLD=
*:echo four \${NEW-unset} \$OLD >>\$QUEUE_DIR/ran
END
export OLD=old
ran() {
	tr '\n' ' ' <"$QUEUE_DIR/ran"
}
qfilter sh -c "echo zero >>'$QUEUE_DIR/ran'"
is "$code$(ran)" '0zero one three value unset four unset old ' 'all lines for the domain, after the command line'
same_file "$QUEUE_DIR/1/message" "$work/message" 'a shell runs them'
envelope s@Sub.Example.ORG one@example.org
qfilter
is "$code$(ran)" '0two four unset old ' 'wildcards, letters in any case'
envelope '' one@example.org
qfilter
is "$code$(ran)" '0four unset old ' 'the empty sender'
cat >"$work/control/qfilters" <<END
^(sub\\.)?example\\.(org|net)\$:echo one >>\$QUEUE_DIR/ran
END
envelope s@SUB.example.net one@example.org
QREGEX=1 qfilter
is "$code$(ran)" '0one ' 'expressions, with QREGEX'
QQF_DIALECT=bruceg QREGEX=1 qfilter
is "$code$(ls "$QUEUE_DIR")" 01 'the first dialect does not know the file'
echo '*:exit 100' >"$work/control/qfilters"
qfilter
is "$code$(queued)" 310 'their codes mean the same'
echo '*:echo $A $B ${C-unset} $NEWER >>$QUEUE_DIR/ran:A=1,B=2=3,A=4,C=,NEWER=a b' \
	>"$work/control/qfilters"
A=a B=b C=c NEW=d qfilter
is "$code$(ran)" '04 2=3 unset a b ' 'several variables, the last of a name'
like "$(cat "$QUEUE_DIR/1/about")" '^env B=b$' 'nobody else has them'
for each in 'no command' ':true' 'x:' '*:true:=x' '*:true:a=b,' '*:true:a=b,,c=d' '*:true:'; do
	echo "$each" >"$work/control/qfilters"
	qfilter
	is "$code$(queued)" 550 "a line that is none: $each"
done
echo '[(:true' >"$work/control/qfilters"
QREGEX=1 qfilter
is "$code$(queued)" 550 'an expression that is none'
rm "$work/control/qfilters"
mkdir "$work/control/qfilters"
qfilter
is "$code$(queued)" 550 'a file that cannot be read'
rmdir "$work/control/qfilters"
QQF_DIALECT=

done_testing
