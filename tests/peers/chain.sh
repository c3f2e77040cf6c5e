# What the tests with real peers share; read in after lib.sh: the chain as the
# README draws it, and how to look into the Maildir behind it.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh

# Postfix's test programs, unpacked: the package would start a server.
# shellcheck disable=SC2034,SC2154 # for the tests; from lib.sh
postfix=${POSTFIX:-$top/build/deps/peers/postfix}

# prepare_chain: controls, rules for 127., an empty Maildir, the queue program
prepare_chain() {
	mkdir -p "$work/control" "$work/Maildir/tmp" "$work/Maildir/new" \
		"$work/Maildir/cur"
	echo mx.example.org >"$work/control/me"
	echo example.org >"$work/control/rcpthosts"
	printf '#!/bin/sh\nexec "%s/queue-maildir" -d "%s/Maildir"\n' \
		"$bin" "$work" >"$work/queue"
	chmod 755 "$work/queue"
	CONTROLDIR=$work/control
	QMAILQUEUE=$work/queue
	export CONTROLDIR QMAILQUEUE
	echo '127.:allow,PEERTEST="1"' | tcprules "$work/rules.cdb" \
		"$work/rules.tmp"
}

# delivered [RECIPIENT]: the files in new, all or those to one recipient
delivered() {
	if [ $# -eq 0 ]; then
		find "$work/Maildir/new" -type f
	else
		grep -alx "Delivered-To: $1" "$work/Maildir/new"/* 2>/dev/null
	fi
}
# as_sent FILE…: delivered messages without what the chain puts on top
as_sent() {
	perl -0777 -pe 's/\A(?:(?:Return-Path|Delivered-To|Received):.*\n
		(?:[ \t].*\n)*)+//x' -- "$@"
}
# arrived RECIPIENT FILE NAME: one message, byte for byte this file
arrived() {
	arrived_as=$(delivered "$1")
	if [ "$(printf '%s\n' "$arrived_as" | grep -c .)" -ne 1 ]; then
		not_ok "$3" "delivered to $1: $arrived_as"
		return
	fi
	as_sent "$arrived_as" >"$work/arrived"
	same_file "$work/arrived" "$2" "$3"
}

# hard_message FILE: lines that are short, long, empty, 8-bit, or begin with
# dots; what any client can send
hard_message() {
	printf '%s\n' 'From: a@client.example' 'To: u@example.org' \
		'Subject: hard' 'Date: Sat, 21 Nov 2026 10:00:00 +0000' \
		'Message-ID: <1@client.example>' '' >"$1"
	perl -e 'print ".\n..\n.dot\n...\n \n\n\n", "a" x 998, "\n",
		"\xff\xfe\xc3\x84 8-bit\n", "\x01\x1b[2J\x7f\n", "y" x 100000,
		"\nFrom the start\n>From\nQUIT\nend\n"' >>"$1"
}

# note_environment [NAME…]: from now on the queue program notes what it is told of
# the client, and these variables; told_with RECIPIENT says it of a message, names in
# order, with a blank behind each value. The names may be regular expressions.
note_environment() {
	mkdir -p "$work/told"
	chmod 777 "$work/told"
	note_more=
	for name; do note_more="$note_more|$name"; done
	cat >"$work/queue" <<-END
		#!/bin/sh
		env | LC_ALL=C sort | grep -aE '^(RELAYCLIENT|SMTP_AUTH_USER|SMTPAUTH(USER|METHOD)|SMTPUTF8|SPFRESULT|TCPREMOTE(INFO|IP|HOST)$note_more)=' >"$work/told/\$\$"
		exec "$bin/queue-maildir" -d "$work/Maildir"
	END
}
told_with() {
	told_pid=$(delivered "$1" | xargs sed -n '
		s/^Received: (qmail \([0-9]*\) .*/\1/p; /^$/q' | head -n 1)
	tr '\n' ' ' <"$work/told/${told_pid:-no-such-message}"
}
# received_from RECIPIENT: smtpd's own field Received of a message, in one line,
# without its date
received_from() {
	delivered "$1" | xargs sed -n \
		'/^Received: from /{N; s/\n */ /; s/; [^;]*$//; p; q; }'
}
