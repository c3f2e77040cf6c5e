#!/bin/sh
# queue-tee: the copy comes first, and what becomes of it.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
unset ERROR_FD TMPDIR
export QUEUE_DIR="$work/queue"

# The plan of the copy's program is $COPY, that of the next one $NEXT.
for each in copy next; do
	cat >"$work/$each" <<END
#!/bin/sh
QUEUE_DIR=\$QUEUE_DIR/$each QUEUE_PLAN=\$$(echo $each | tr a-z A-Z) exec '$tests/queue-stub'
END
	chmod 755 "$work/$each"
done
# tee_off ARGUMENT…: options, and $COPY and $NEXT
tee_off() {
	rm -rf "$QUEUE_DIR"
	mkdir -p "$QUEUE_DIR/copy" "$QUEUE_DIR/next"
	export COPY NEXT
	run queue-tee "$@" "$work/copy" -- "$work/next"
}
# stored: how many messages the copy's program and the next one have been given
stored() {
	echo "$(ls "$QUEUE_DIR/copy" | wc -l)$(ls "$QUEUE_DIR/next" | wc -l)"
}
COPY=exit=0 NEXT=exit=0
message 'Subject: hello' '' 'text'
envelope s@example.org one@example.org two@example.net

tee_off
is "$code$(stored)" 011 'both have it'
for each in copy next; do
	same_file "$QUEUE_DIR/$each/1/message" "$work/message" "$each: the message"
	same_file "$QUEUE_DIR/$each/1/envelope" "$work/envelope" "$each: the envelope"
done
is "$(cat "$work/log")" '' 'nothing to say'
tee_off -r archive@example.com
is "$code$(tr '\0' '|' <"$QUEUE_DIR/copy/1/envelope")" \
	'0Fs@example.org|Tarchive@example.com||' 'a recipient of its own'
same_file "$QUEUE_DIR/next/1/envelope" "$work/envelope" 'the others get theirs'
cp "$bin/queue-tee" "$work/queue-tee"
cp "$work/next" "$work/qmail-queue"
rm -rf "$QUEUE_DIR"/*/1
run "$work/queue-tee" "$work/copy"
is "$code$(stored)" 011 'without a next one: qmail-queue beside it'

# --- the copy fails
got=
for each in 1 11 31 51 71 82 88 99 100 111 120; do
	COPY=exit=$each tee_off
	got="$got$each:$code/$(stored) "
done
is "$got" '1:1/10 11:11/10 31:31/10 51:51/10 71:71/10 82:82/10 88:88/10 99:99/10 100:100/10 111:111/10 120:120/10 ' 'its exit code is the answer, and nobody else has it'
like "$(cat "$work/log")" '^queue-tee: no copy qp [0-9]+ bytes [0-9]+ from <s@example.org> to <one@example.org> <two@example.net>: exit code 120$' 'a line in the log'
for fd in 4 6; do
	COPY="exit=82 text=$fd:DNo%20room%20in%20it" tee_off
	is "$code$(cat "$work/text")" '82DNo room in it' "its text, which it wrote to $fd"
done
like "$(cat "$work/log")" 'exit code 82: DNo room in it$' 'it is logged'
COPY='exit=88 text=6:Zlater%0d%0a250%20ok' tee_off
is "$code$(cat "$work/text")" '82Zlater??250 ok' 'another family; made printable'
COPY='signal=SEGV' tee_off
is "$code$(stored)" 8110 'a death: 81'
run queue-tee "$work/nonexistent" -- true
is "$code" 120 'a program that is not there: 120'
like "$(cat "$work/log")" 'unable to run .*/nonexistent: ' 'it says so'
run queue-tee -t 1 sh -c "sleep 100 & echo \$! >'$work/sleeper'; wait" -- true
is "$code" 52 'one that hangs: 52'
wait_until sh -c "! kill -0 $(cat "$work/sleeper")"
is $? 0 'and is ended, with what it has started'
COPY='unread' tee_off
is "$code$(stored)" 011 'one that reads nothing'

# --- -i: nobody cares
COPY='exit=82 text=6:DNo%20room%20in%20it' tee_off -i
is "$code$(stored)$(cat "$work/text")" 011 '-i: the message goes on, and nothing is said'
like "$(cat "$work/log")" 'no copy .*: exit code 82: DNo room in it$' 'but it is logged'
run queue-tee -i "$work/nonexistent" -- true
is "$code" 0 '-i: also without the program'
COPY='exit=0 text=6:Dbefore' NEXT='exit=82 text=6:DNo%20end' tee_off
is "$code$(cat "$work/text")" '82DNo end' 'what a copy says that went well is not the answer'

# --- the next one may be sure of the message
cat >"$work/changes" <<'END'
#!/usr/bin/perl
# What a filter for the copy may do to its file and to the offset.
sysread STDIN, my $bytes, 7;
syswrite STDIN, 'x' x 100;
truncate STDIN, 3;
END
chmod 755 "$work/changes"
seq 1 300000 >"$work/message"
for each in file pipe; do
	tee_off >/dev/null
	rm -rf "$QUEUE_DIR"/*/1
	# shellcheck disable=SC2002,SC2094 # the pipe is what this is about; nothing is written
	if [ $each = pipe ]; then
		cat "$work/message" | queue-tee "$work/changes" -- "$work/next" 1<"$work/envelope" 2>"$work/log"
	else
		queue-tee "$work/changes" -- "$work/next" <"$work/message" 1<"$work/envelope" 2>"$work/log"
	fi
	same_file "$QUEUE_DIR/next/1/message" "$work/message" \
		"2 MB from a $each: a copy's program cannot change them"
done
message small
cat "$work/message" | queue-tee "$work/changes" -- "$work/next" 1<"$work/envelope" 2>"$work/log"
same_file "$QUEUE_DIR/next/2/message" "$work/message" 'nor those of a small one'

printf 'Fs@x\0Tr@x\0' >"$work/envelope"
tee_off -i
is "$code$(stored)$(cat "$work/log")" 5400 'the caller has gone: 54, and nobody has it'
for wrong in '' '-r' '-t 0 true' '-z' '--'; do
	# shellcheck disable=SC2086 # words
	run queue-tee $wrong
	is "$code" 100 "wrong use: <$wrong>"
done

done_testing
