#!/bin/sh
# Real clients through the whole chain into a Maildir: what each of them sends
# arrives once and byte for byte.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain.sh"
need swaks curl msmtp python3

prepare_chain
# All of them wait for the greeting; a client that did not would be dropped.
GREETDELAY=1 DROP_PRE_GREET=1
export GREETDELAY DROP_PRE_GREET
start_tcpserver "$work/log" -x "$work/rules.cdb" -- \
	greetdelay recordio smtpd
unset GREETDELAY DROP_PRE_GREET

hard_message "$work/hard"
# swaks puts a line end behind what it was given.
perl -pe 'chomp if eof' "$work/hard" >"$work/hard.no-end"

swaks --server 127.0.0.1 --port "$port" --helo client.example \
	--from a@client.example --to swaks@example.org \
	--data "@$work/hard.no-end" >"$work/swaks.out" 2>&1 &
swaks=$!
curl -sS "smtp://127.0.0.1:$port/client.example" --crlf -T "$work/hard" \
	--mail-from a@client.example --mail-rcpt curl@example.org \
	>"$work/curl.out" 2>&1 &
curl=$!
msmtp --host=127.0.0.1 --port="$port" --domain=client.example --timeout=20 \
	--tls=off --auth=off --from=a@client.example -- msmtp@example.org \
	<"$work/hard" >"$work/msmtp.out" 2>&1 &
msmtp=$!

mkdir "$work/python"
python3 - "$port" "$work/python" "$work/hard" >"$work/python.out" 2>&1 <<'END' &
import smtplib, sys
port, folder, hard = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], 'rb').read()
head = b'Subject: x\n\n'
messages = {
    'hard': hard,
    'allbytes': head + bytes(b for b in range(256) if b not in (10, 13)) + b'\n',
    'nul': head + b'\0' * 5000 + b'\n\0\n.\0\n',
    'carriage': head + b'a\rb\r\r\n\r.\r\n.x\r\n',
    'length998': head + b'x' * 998 + b'\n',
    'long': head + b'.' + b'x' * 100000 + b'\n',
    'dots': head + b'.\n..\n...\n.a\n' * 2000,
    'nobody': b'Subject: only a header\n',
    'noheader': b'\nno header\n',
    'empty': b'\n',
}
with smtplib.SMTP('127.0.0.1', port, local_hostname='client.example') as smtp:
    smtp.ehlo_or_helo_if_needed()
    assert smtp.has_extn('pipelining') and smtp.has_extn('8bitmime'), smtp.esmtp_features
    for name, text in messages.items():
        open(folder + '/' + name, 'wb').write(text)
        smtp.sendmail('a@client.example', name + '@example.org',
                      text.replace(b'\n', b'\r\n'), ['BODY=8BITMIME'])
    smtp.sendmail('', ['two-1@example.org', 'two-2@example.org'], 'two\n')
    try:
        smtp.sendmail('a@client.example', 'u@elsewhere.example', 'no\n')
        print('not refused')
    except smtplib.SMTPRecipientsRefused as refused:
        print(refused.recipients['u@elsewhere.example'])
END
python=$!

# went_well PID CLIENT
went_well() {
	wait "$1"
	is $? 0 "$2 says that it went well"
}
went_well $swaks swaks
went_well $curl curl
went_well $msmtp msmtp
went_well $python smtplib
like "$(cat "$work/swaks.out")" '^<.* 250 ok [0-9]+ qp [0-9]+' \
	'swaks sees the reply'
like "$(cat "$work/python.out")" "^\(553, b\"sorry, that domain isn't" \
	'smtplib sees the refusal'
for client in swaks curl msmtp; do
	arrived "$client@example.org" "$work/hard" "$client: byte for byte"
done
for file in "$work/python"/*; do
	name=${file##*/}
	arrived "$name@example.org" "$file" "smtplib: byte for byte: $name"
done
printf 'two\n' >"$work/two"
arrived two-1@example.org "$work/two" 'two recipients: the first'
arrived two-2@example.org "$work/two" 'two recipients: the second'
is "$(delivered | wc -l)" 15 'and there is nothing else'

# What the chain noted: one pid for a connection, from tcpserver to smtpd, and qp
# is the pid in the message.
stop "$server"
pid=$(sed -n 's/^\([0-9]*\) < EHLO client\.example.*/\1/p' "$work/log" |
	head -n 1)
like "$(cat "$work/log")" "^tcpserver: pid $pid from 127\.0\.0\.1" \
	'recordio and tcpserver name the same pid'
is "$(grep -ac '^tcpserver: end [0-9]* status 0$' "$work/log")" 4 \
	'four connections ended well'
is "$(delivered | while read -r file; do
	sed -n 's/^Received: (qmail \([0-9]*\) .*/\1/p' "$file"
done | sort -u)" "$(sed -n "s/^[0-9]* > 250 ok [0-9]* qp \([0-9]*\).*/\1/p" \
	"$work/log" | sort -u)" 'qp is the pid in the trace of each message'

done_testing
