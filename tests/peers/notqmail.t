#!/bin/sh
# notqmail on both sides of ours: its qmail-smtpd before our chain, its qmail-queue
# behind it, its qmail-send after our qmail-queue, and our queue-check in its queue.
# Debian has none: NOTQMAIL is the home of one, installed with users and groups as
# its INSTALL says, later than 1.08, and without mail. It is the test's: its control
# files, users/cdb and queue are written over. Nothing goes over the network, but
# to 127.0.0.1. Only root can start it.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../maildir.sh"
. "$(dirname "$0")/chain.sh"
[ -n "${NOTQMAIL:-}" ] || {
	echo '1..0 # SKIP NOTQMAIL is not set; Debian has none'
	exit 0
}
[ "$(id -u)" -eq 0 ] || {
	echo '1..0 # SKIP not root'
	exit 0
}
[ -x "$NOTQMAIL/bin/qmail-send" ] || {
	echo "Bail out! no notqmail in $NOTQMAIL"
	exit 1
}
queue=$NOTQMAIL/queue

# in_queue [FOLDER…]: how many files, of messages
in_queue() {
	[ $# -gt 0 ] || set -- mess todo intd info local remote bounce pid
	for folder; do find "$queue/$folder" -type f; done | wc -l
}
[ "$(in_queue)" -eq 0 ] || {
	echo "Bail out! there is mail in $queue"
	exit 1
}

# Their users can come to these.
chmod 755 "$work"
mkdir "$work/bin" "$work/home"
cp "$bin"/* "$work/bin/" || exit
bin=$work/bin
PATH=$bin:$PATH
prepare_chain

echo mx.example.org >"$NOTQMAIL/control/me"
echo example.org >"$NOTQMAIL/control/rcpthosts"
echo example.org >"$NOTQMAIL/control/locals"
echo 0 >"$NOTQMAIL/control/concurrencyremote"
user=$(id -u alias):$(id -g alias)
printf '%s\n' "+:alias:$user:$work/home:::" "=nobody:alias:$user:$work/home:-:no:" . \
	>"$NOTQMAIL/users/assign"
chmod 644 "$NOTQMAIL"/control/* "$NOTQMAIL/users/assign"
"$NOTQMAIL/bin/qmail-newu" || exit

# make_home: where their mail is delivered; without it, it has to wait
make_home() {
	maildirs home/Maildir
	chown -R "$user" "$work/home"
}
# start_send: their qmail-send and all it needs, with the log in $work/send
start_send() {
	env -i PATH="$NOTQMAIL/bin:$PATH" CHAINMAIL_TEST="$work" \
		"$NOTQMAIL/bin/qmail-start" ./Maildir/ >"$work/send" 2>&1 &
	send=$!
	started="$started $send"
	wait_for_line "$work/send" '^status: local 0/'
}
stop_send() {
	stop "$send"
	wait_for_line "$work/send" '^status: exiting'
}
queue_is_empty() { [ "$(in_queue)" -eq 0 ]; }
# load TAG COUNT: messages from five sessions; all must be taken
load() {
	mail-load -c 5 -n "$2" -t "$1" "$port" "$work/notes.$1"
	is "$(grep -c '^250' "$work/notes.$1")" $(($2 * 5)) "$1: every message is taken"
}
# stored TAG KIND FOLDER COUNT: they are there
stored() {
	is "$(mail-stored -d "$2" "$3" "$work/notes.$1" 2>&1)" \
		"acknowledged $4 stored $4 lost 0 broken 0 twice 0 garbage 0" \
		"$1: and is where it belongs, whole, once"
}

# --- their qmail-smtpd before our chain
start_tcpserver "$work/log" -- "$NOTQMAIL/bin/qmail-smtpd"
load their-smtpd 5
stored their-smtpd maildir "$work/Maildir" 25
printf '#!/bin/sh\nexec "%s/queue-maildir" -d "%s/nowhere"\n' "$bin" "$work" >"$work/queue"
mail-load -c 1 -n 1 -t none "$port" "$work/notes.none"
like "$(cat "$work/notes.none")" '^451 .* Temporary error on maildir delivery \(#4\.3\.0\)$' \
	'their smtpd says why our program cannot take a message'
echo "somebody@example.org:$work/Maildir" | queue-maildir -c "$work/map.cdb"
printf '#!/bin/sh\nexec "%s/queue-maildir" -m "%s/map.cdb"\n' "$bin" "$work" >"$work/queue"
mail-load -c 1 -n 1 -t refused "$port" "$work/notes.refused"
like "$(cat "$work/notes.refused")" '^554 .* no mailbox here by that name \(#5\.1\.1\)$' \
	'and why it does not want it'
stop "$server"

# --- our smtpd before their qmail-queue
make_home
start_send
QMAILQUEUE=$NOTQMAIL/bin/qmail-queue
start_tcpserver "$work/log" -- smtpd
load their-queue 5
wait_until queue_is_empty || waited_in_vain 'an empty queue'
stored their-queue maildir "$work/home/Maildir" 25
stop "$server"

# --- their qmail-send after our qmail-queue
QMAILQUEUE=$bin/qmail-queue
QUEUEDIR=$queue
export QUEUEDIR
start_tcpserver "$work/log" -u "$(id -u qmailq)" -g "$(id -g qmailq)" -- smtpd
load our-queue 10
wait_until queue_is_empty || waited_in_vain "an empty queue: $(find "$queue" -type f)"
stored our-queue maildir "$work/home/Maildir" 50
is "$(grep -c '^new msg ' "$work/send") $(grep -c '^end msg ' "$work/send")" '75 75' \
	'their log has a beginning and an end for each message'
unlike "$(cat "$work/send")" 'warning|alert|trouble|unable' 'and nothing to complain of'
sed -n 's/.* ok [0-9]* qp \([0-9]*\)$/\1/p' "$work/notes.our-queue" | sort >"$work/qp"
sed -n 's/^info msg .* qp \([0-9]*\) uid .*/\1/p' "$work/send" | sort >"$work/logged"
is "$(comm -23 "$work/qp" "$work/logged")" '' 'the qp that the client was told is in their log'
stop_send
load waiting 2
is "$(in_queue todo)" 10 'without their qmail-send they wait'
start_send
wait_until queue_is_empty || waited_in_vain 'an empty queue'
stored waiting maildir "$work/home/Maildir" 10
stop_send
stop "$server"

# --- our queue-check in their queue
# check NAME: nothing is wrong, and nothing is changed
check() {
	find "$queue" ! -type d -printf '%p %i %m %u %g %s\n' | sort >"$work/before"
	said=$(queue-check -n "$queue" 2>&1)
	is "$? $said" '0 ' "queue-check finds nothing wrong: $1"
	said=$(queue-check "$queue" 2>&1)
	is "$? $said" '0 ' "queue-check repairs nothing: $1"
	find "$queue" ! -type d -printf '%p %i %m %u %g %s\n' | sort >"$work/now"
	same_file "$work/now" "$work/before" "and leaves all as it is: $1"
}
check 'an empty queue'
message 'Subject: waits' '' 'for its Maildir'
envelope box@example.org one@example.org nobody@example.org far@elsewhere.example
"$NOTQMAIL/bin/qmail-queue" <"$work/message" 1<"$work/envelope"
is "$? $(in_queue mess todo intd)" '0 3' 'a message of theirs is queued'
check 'a message that is queued'
rm -r "$work/home/Maildir"
start_send
wait_for_line "$work/send" '^delivery .*: failure: '
wait_for_line "$work/send" '^delivery .*: deferral: '
stop_send
is "$(in_queue mess todo intd info local remote bounce)" 5 'their qmail-send has begun with it'
check 'a message that waits for its Maildir, with a bounce'
make_home
rm -f "$queue"/remote/*/*
touch "$queue"/local/*/*
start_send
wait_until queue_is_empty || waited_in_vain 'an empty queue'
is "$(cat "$work"/home/Maildir/new/* | grep -cx 'for its Maildir')" 2 'it is delivered, and its bounce'
stop_send
check 'what they leave'
rm -f "$NOTQMAIL/users/cdb" "$NOTQMAIL/users/assign"
done_testing
