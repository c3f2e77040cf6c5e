#!/bin/sh
# Postfix's smtp-source: a thousand messages in twenty sessions at once, none
# lost, none twice, none changed.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain.sh"
PATH=$PATH:$postfix/usr/sbin
need smtp-source

prepare_chain
start_tcpserver "$work/log" -c 50 -x "$work/rules.cdb" -- \
	greetdelay recordio smtpd
source_mail() {
	LD_LIBRARY_PATH=$postfix/usr/lib/postfix smtp-source \
		-M client.example -f s@client.example "$@" "127.0.0.1:$port"
}

# One message a connection.
source_mail -s 20 -m 1000 -l 4000 -t one@example.org >"$work/out" 2>&1
is "$?$(cat "$work/out")" 0 '1,000 messages in 20 sessions'
is "$(delivered | wc -l)" 1000 'none lost'
is "$(cat "$work/Maildir/new"/* | grep -a '^Message-Id: ' | sort -u | wc -l)" \
	1000 'none twice'
as_sent "$work/Maildir/new"/* | grep -av '^Message-Id: \|^Date: ' >"$work/all"
as_sent "$(delivered | head -n 1)" >"$work/one"
# 4,000 bytes, and a line end behind them; 49 CRLF within became LF.
is "$(sed '1,/^$/d' "$work/one" | wc -c)" 3952 'each with its whole text'
perl -ne 'push @lines, $_ unless /^(Message-Id|Date): /;
	END { print @lines for 1 .. 1000 }' "$work/one" >"$work/thousand"
if cmp -s "$work/all" "$work/thousand"; then
	ok 'none changed'
else
	not_ok 'none changed' "$(diff -a "$work/all" "$work/thousand" | head)"
fi
is "$(grep -ac '^tcpserver: end [0-9]* status 0$' "$work/log")" 1000 \
	'each in a connection of its own'
rm -f "$work/Maildir/new"/*

# Fifty messages a connection, of bytes that we choose.
# It puts a line end behind what it is given.
hard_message "$work/hard"
source_mail -s 10 -m 500 -d -F "$work/hard" -t many@example.org \
	>"$work/out" 2>&1
is "$?$(cat "$work/out")" 0 '500 messages in 10 connections'
is "$(delivered | wc -l)" 500 'none lost'
as_sent "$work/Maildir/new"/* >"$work/all"
perl -0777 -ne 'print "$_\n" x 500' "$work/hard" >"$work/wanted"
if cmp -s "$work/all" "$work/wanted"; then
	ok 'none changed'
else
	not_ok 'none changed' "$(cmp "$work/all" "$work/wanted" 2>&1)"
fi
is "$(delivered | xargs sed -n 's/^Received: (qmail \([0-9]*\) .*/\1/p' |
	sort -u | wc -l)" 500 'each with a qp of its own'
is "$(ls -A "$work/Maildir/tmp")" '' 'and nothing is left in tmp'

done_testing
