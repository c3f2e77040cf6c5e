#!/bin/sh
# A message handed on while its client waits, to real servers: Dovecot's LMTP,
# Postfix's smtp-sink, and our own smtpd behind TLS; sent by swaks through our smtpd
# and by curl through Debian's mailfront.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemons.sh"
. "$(dirname "$0")/../tls.sh"
. "$(dirname "$0")/../maildir.sh"
need swaks curl mailfront openssl
unset QUEUE_SMTP QUEUE_LMTP
export CONTROLDIR="$work/control"
mkdir "$work/control"
echo front.example >"$work/control/me"
printf '%s\n' example.org >"$work/control/rcpthosts"
printf '%s\n' 'Subject: x' '' 'a text' '.with dots' '.' '..' >"$work/text-of-mail"
sed 's/$/\r/' "$work/text-of-mail" >"$work/on-the-wire"
# swaks puts a line end behind what it is given.
perl -pe 'chomp if eof' "$work/text-of-mail" >"$work/no-end"

# front PROGRAM ARGUMENT…: an SMTP server whose queue program is that one
front() {
	[ -z "${front:-}" ] || stop "$front"
	{
		echo '#!/bin/sh'
		echo "exec $*"
	} >"$work/queue"
	chmod 755 "$work/queue"
	QMAILQUEUE=$work/queue start_tcpserver "$work/front.log" -- smtpd
	front=$server front_port=$port
}
# send CODE TEXT NAME RECIPIENT…: by swaks; the reply to the message, or to the
# command that is refused, begins with CODE and has the TEXT
send() {
	send_code=$1 send_text=$2 send_name=$3
	shift 3
	send_to=$(echo "$@" | tr ' ' ,)
	swaks --server 127.0.0.1 --port "$front_port" --helo client.example \
		--from s@example.net --to "$send_to" --data "@$work/no-end" \
		--pipeline >"$work/swaks" 2>&1
	like "$(grep -a '^<\(-\|\*\*\) ' "$work/swaks" | tail -n 2 | head -n 1)" \
		"^<(-|\\*\\*) *$send_code $send_text" "$send_name"
}
# The message behind its header fields of transport, as it came.
# is_whole NAME FILE…
is_whole() {
	is_whole_name=$1
	shift
	if [ $# -ne 1 ] || [ ! -f "$1" ]; then
		not_ok "$is_whole_name" "files: $*"
		return
	fi
	tr -d '\r' <"$1" | sed -n '/^Subject: x$/,$p' >"$work/got"
	same_file "$work/got" "$work/text-of-mail" "$is_whole_name"
}

# --- Dovecot
start_dovecot
front queue-lmtp "$dovecot_socket"
send 250 'ok [0-9]+ qp [0-9]+' 'a user' user@example.org
is_whole 'has the message' "$dovecot_mail/user/new/"*
like "$(cat "$dovecot_mail/user/new/"*)" '^Return-Path: <s@example\.net>$' 'with its sender'
like "$(cat "$work/front.log")" "^queue-lmtp: delivered .*: $dovecot_socket: 250 2\\.0\\.0 <user@example\\.org> .* Saved\$" 'the log has what Dovecot said'
send 554 "5\\.1\\.1 <nobody@example\\.org> User doesn't exist: nobody@example\\.org" 'nobody' nobody@example.org
send 554 '5\.2\.2 <full@example\.org> Quota exceeded' 'one over quota' full@example.org
rm -f "$dovecot_mail/user/new/"*
send 250 ok 'two users' user@example.org other@example.org
is_whole 'the first has it' "$dovecot_mail/user/new/"*
is_whole 'the second has it' "$dovecot_mail/other/new/"*
rm -f "$dovecot_mail/user/new/"*
send 451 '4\.5\.3 not all of 2 recipients .*<nobody@example\.org>: 5\.1\.1' 'a user and nobody' user@example.org nobody@example.org
is "$(ls "$dovecot_mail/user/new")" '' 'the user does not have it'
send 451 '4\.5\.3 not all of 2 recipients .*<full@example\.org>: 5\.2\.2' 'a user and one over quota' user@example.org full@example.org
is_whole 'the user has it, and will get it again' "$dovecot_mail/user/new/"*
like "$(cat "$work/front.log")" 'has delivered to 1 of 2 recipients, who will get it again' 'which the log says'
# One recipient a transaction ends that.
rm -f "$dovecot_mail/user/new/"*
stop "$front"
QMAILQUEUE=$work/queue MAXRCPTCOUNT=1 start_tcpserver "$work/front.log" -- smtpd
front=$server front_port=$port
send 250 ok 'with MAXRCPTCOUNT, a user and nobody' user@example.org nobody@example.org
is_whole 'the user has it, once' "$dovecot_mail/user/new/"*

# by TCP, from mailfront
front queue-lmtp "127.0.0.1:$dovecot_port"
rm -f "$dovecot_mail/user/new/"*
cat >"$work/qmail-queue" <<END
#!/bin/sh
exec queue-lmtp 127.0.0.1:$dovecot_port
END
chmod 755 "$work/qmail-queue"
QMAILQUEUE=$work/qmail-queue QMAILHOME=$work RELAYCLIENT='' \
	start_tcpserver "$work/mailfront.log" -- mailfront smtp qmail accept
curl -sS "smtp://127.0.0.1:$port/client.example" -T "$work/on-the-wire" \
	--mail-from s@example.net --mail-rcpt user@example.org >"$work/curl" 2>&1
is "$?$(cat "$work/curl")" 0 'curl and mailfront'
is_whole 'the user has it' "$dovecot_mail/user/new/"*
curl -sSv "smtp://127.0.0.1:$port/client.example" -T "$work/on-the-wire" \
	--mail-from s@example.net --mail-rcpt nobody@example.org >"$work/curl" 2>&1
like "$(tr -d '\r' <"$work/curl")" '^< 554 ' 'curl, mailfront, and nobody'

# hung, and gone in the middle
front queue-lmtp -t 2 "$dovecot_socket"
hang "$dovecot"
timed send 451 'connection to mail server timed out' 'Dovecot hangs' user@example.org
is_at_most 6000 'the client does not wait for long'
resume "$dovecot"
kill_all "$dovecot"
send 451 '(connection to mail server rejected|qq trouble making network connection)' 'Dovecot is gone' user@example.org

# --- smtp-sink
sink_gets() {
	is "$(cat "$smtp_sink_mail"/* 2>/dev/null | tr -d '\r' | grep -cx 'a text')" "$1" "$2"
}
start_smtp_sink
front queue-smtp "127.0.0.1:$smtp_sink_port"
send 250 ok 'smtp-sink' a@example.org b@example.org
sink_gets 1 'has it'
stop "$smtp_sink"
rm -f "$smtp_sink_mail"/*
start_smtp_sink -q DATA
front queue-smtp -t 5 "127.0.0.1:$smtp_sink_port"
send 451 'communication with mail server failed' 'one that goes away at DATA' a@example.org
stop "$smtp_sink"
start_smtp_sink -r .
front queue-smtp "127.0.0.1:$smtp_sink_port"
send 451 '4\.3\.0' 'one that refuses every message for now' a@example.org
stop "$smtp_sink"
start_smtp_sink -f RCPT
front queue-smtp "127.0.0.1:$smtp_sink_port"
send 554 '5\.3\.0' 'one that refuses every recipient' a@example.org
hang "$smtp_sink"
front queue-smtp -t 1 "127.0.0.1:$smtp_sink_port"
timed send 451 'connection to mail server timed out' 'one that hangs' a@example.org
is_at_most 5000 'the client does not wait for long'
resume "$smtp_sink"
stop "$smtp_sink"

# --- our own, behind TLS
make_ca
make_certificate mx localhost
maildirs A
mkdir "$work/behind"
cp "$work/control/me" "$work/control/rcpthosts" "$work/behind"
CONTROLDIR=$work/behind CERTFILE=$work/mx QMAILQUEUE=$bin/queue-maildir \
	QUEUE_MAILDIR=$work/A start_sslserver "$work/behind.log" -n -- "$bin/smtpd"
behind=$server behind_port=$port
front queue-smtp -T verify -A "$work/ca.pem" "localhost:$behind_port"
send 250 ok 'our own, verified' user@example.org
is_whole 'has it' "$work/A/new/"*
like "$(cat "$work/A/new/"*)" 'encrypted SMTP' 'inside TLS'
like "$(cat "$work/front.log")" "^queue-smtp: delivered .*: localhost:$behind_port by TLSv1\\.3, verified: 250 ok [0-9]+ qp [0-9]+\$" 'the log has both ends'
echo elsewhere.example >>"$work/control/rcpthosts"
send 554 '.*rcpthosts.*' 'a domain that it does not take' user@elsewhere.example
stop "$behind"
send 451 'connection to mail server rejected' 'it is gone' user@example.org
done_testing
