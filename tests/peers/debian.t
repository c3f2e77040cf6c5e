#!/bin/sh
# Our programs and Debian's in each other's places: its tcpserver in front of our
# smtpd, our tcpserver in front of its mailfront, its recordio in our chain.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain.sh"
need /usr/bin/tcpserver /usr/bin/tcprules /usr/bin/recordio mailfront curl

prepare_chain
hard_message "$work/hard"
send() {
	curl -sS "smtp://127.0.0.1:$port/client.example" --crlf \
		-T "$work/hard" --mail-from a@client.example \
		--mail-rcpt "$1" >"$work/curl.out" 2>&1
}

# Debian's tcpserver says its port with -1, as ours does.
echo '127.:allow,RELAYCLIENT=""' | /usr/bin/tcprules "$work/debian.cdb" \
	"$work/debian.tmp"
/usr/bin/tcpserver -1 -v -R -H -l server.example -x "$work/debian.cdb" \
	127.0.0.1 0 /usr/bin/recordio qmail-smtpd >"$work/port" \
	2>"$work/debian.log" &
server=$!
started="$started $server"
wait_until test -s "$work/port"
port=$(cat "$work/port")
send far@elsewhere.example
is "$?$(cat "$work/curl.out")" 0 "Debian's tcpserver, recordio and our smtpd"
arrived far@elsewhere.example "$work/hard" 'byte for byte, by its rules'
like "$(cat "$work/debian.log")" '^tcpserver: end [0-9]* status 0$' \
	'and it ends well'
stop "$server"
file=$(delivered far@elsewhere.example)
like "$(cat "$file")" '^Received: from unknown \(HELO client.example\) \(127.0.0.1\)$' \
	'the trace has its environment'

# Its rules under our tcpserver, and its mailfront behind it.
start_tcpserver "$work/ours.log" -x "$work/debian.cdb" -- \
	recordio mailfront smtp echo accept
send near@example.org
is "$?$(cat "$work/curl.out")" 0 "our tcpserver and recordio, Debian's mailfront"
like "$(cat "$work/ours.log")" '^[0-9]+ > 250 Received [0-9]+ bytes' \
	'which took the message'
wait_for_line "$work/ours.log" '^tcpserver: end [0-9]* status 0$'
is $? 0 'and ends well'
stop "$server"

# mailfront as the SMTP server of our queue program.
QMAILHOME=$work
export QMAILHOME
start_tcpserver "$work/mailfront.log" -x "$work/debian.cdb" -- \
	mailfront smtp qmail accept
send queue@example.org
is "$?$(cat "$work/curl.out")" 0 "Debian's mailfront and our queue-maildir"
delivered_as=$(delivered queue@example.org)
as_sent "$delivered_as" >"$work/arrived"
same_file "$work/arrived" "$work/hard" 'byte for byte'

done_testing
