#!/bin/sh
# The install guide's last test: four mails, of which two are delivered, the fourth
# with [SPAM] in its Subject. And its rules of tcpserver: who is scanned by what. All
# of it with the real clamd and spamd, whose rules are the package's own.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # variables for the files that are read in
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemons.sh"
. "$(dirname "$0")/chain.sh"
need swaks
unset ERROR_FD CLAMD_SOCKET SPAMD_SOCKET FILTER_TIMEOUT FILTER_MAXSIZE \
	FILTER_FAIL FILTER_QUARANTINE SIMSCAN_DEBUG QS_SPAMASSASSIN

start_clamd
spamd_rules=all
start_spamd 'rewrite_header Subject [SPAM]'

# The queue programs of the rules: all filters, and none.
prepare_chain
cp "$work/queue" "$work/alone"
cat >"$work/scanned" <<-END
	#!/bin/sh
	exec "$bin/filter-attachment" \\
		"$bin/filter-clamd" -s "$clamd_socket" \\
		"$bin/filter-spamd" -s "$spamd_socket" \\
		"$bin/queue-maildir" -d "$work/Maildir"
END
chmod 755 "$work/scanned"
# The guide's, with addresses that are to be had here: 127.0.0.2 for the host
# itself, 127.0.0.3 for the local network.
cat >"$work/rules" <<-END
	127.0.0.2:allow,RELAYCLIENT="",RBLSMTPD="",QMAILQUEUE="$work/alone"
	127.0.0.3:allow,RELAYCLIENT="",RBLSMTPD="",QMAILQUEUE="$work/scanned"
	127.0.0.4:allow,RELAYCLIENT="",RBLSMTPD="",QS_SPAMASSASSIN="on",QMAILQUEUE="$work/scanned"
	:allow,QMAILQUEUE="$work/scanned"
END
tcprules "$work/rules.cdb" "$work/rules.tmp" <"$work/rules"
unset QMAILQUEUE
start_tcpserver "$work/log" -x "$work/rules.cdb" -- smtpd

# The four, as the guide's script words them.
subject='Qmail-Scanner'
eicar >"$work/Eicar.com"
cp "$work/Eicar.com" "$work/sneaky.txt"
header() {
	printf '%s\n' "From: $1" 'To: Postmaster <postmaster@example.org>' \
		"Subject: $2" "Message-ID: <$3@client.example>" \
		"Date: $(date -R)" 'MIME-Version: 1.0'
}
# with_attachment NAME TYPE: the rest of a message with the file
with_attachment() {
	printf '%s\n' 'Content-Type: multipart/mixed; boundary="part"' '' \
		'--part' 'Content-Type: text/plain' '' 'This is a test virus.' \
		'' '--part' "Content-Type: $2; name=\"$1\"" \
		'Content-Transfer-Encoding: base64' \
		"Content-Disposition: attachment; filename=\"$1\"" ''
	base64 "$work/$1"
	printf '%s\n' '' '--part--'
}
{
	header 'Qmail-Scanner Test <tester@client.example>' \
		"$subject test (1/4): inoffensive message" 1
	printf '\nThis message holds nothing that anybody would mind.\n'
} >"$work/1"
{
	header 'Qmail-Scanner Test <tester@client.example>' \
		"$subject viral test (2/4): checking perlscanner..." 2
	with_attachment Eicar.com application/octet-stream
} >"$work/2"
{
	header 'Qmail-Scanner Test <tester@client.example>' \
		"$subject viral test (3/4): checking non-perlscanner AV..." 3
	with_attachment sneaky.txt text/plain
} >"$work/3"
{
	header 'sb55sb55@yahoo.example' \
		"$subject anti-spam test (4/4): checking SpamAssassin" 4
	printf '\nThis is the test of spam:\n\n%s\n\nThe end.\n' "$(gtube)"
} >"$work/4"

# swaks puts a line end behind what it is given.
for mail in 1 2 3 4; do
	perl -pe 'chomp if eof' "$work/$mail" >"$work/$mail.sent"
done
# send ADDRESS NUMBER: mail NUMBER by a client with that address; the reply to it is
# $reply
send() {
	swaks --server 127.0.0.1 --port "$port" --local-interface "$1" \
		--helo client.example --from tester@client.example \
		--to postmaster@example.org --data "@$work/$2.sent" \
		>"$work/swaks" 2>&1
	reply=$(sed -n '/^ -> \.$/{n; s/^<[-*]* *//p; }' "$work/swaks")
	reply=${reply:-$(tail -n 3 "$work/swaks")}
}
# empty: the Maildir
empty() {
	rm -f "$work/Maildir/new"/*
}
# logged NUMBER: the filters' lines about the last message, without pids, times,
# score and addresses
logged() {
	grep -a '^filter-' "$work/log" | tail -n "$1" |
		sed 's/:\[[0-9]*\]:/:/; s/ ([-0-9.]*\/[-0-9.]*\/[-0-9.]*)//; s/:[0-9.]*s:/:/; s/:127\..*//'
}
virus='554 Your email was rejected because it contains the Local.Eicar.UNOFFICIAL virus'
accepted='^250 ok [0-9]+ qp [0-9]+$'

# ---- the four mails, from the rest of the world ----
send 127.0.0.1 1
like "$reply" "$accepted" '1/4, inoffensive: accepted'
is "$(logged 3)" "filter-attachment:SKIPPED:nothing to look for
filter-clamd:CLEAN:-
filter-spamd:CLEAN:Qmail-Scanner test (1/4)_ inoffensive message" \
	'each filter says so in the log'
qp=${reply##* }
is "$(grep -ac "^filter-.*:$qp\$" "$work/log")" 3 'with the qp of the reply'
smtpd=$(sed -n 's/^tcpserver: pid \([0-9]*\) .*/\1/p' "$work/log" | tail -n 1)
is "$(grep -ac "^filter-[a-z]*:\[$smtpd\]:" "$work/log")" 3 \
	'and the pid of the connection'
send 127.0.0.1 2
is "$reply" "$virus" '2/4, EICAR as Eicar.com: refused'
is "$(logged 1)" 'filter-clamd:VIRUS:Local.Eicar.UNOFFICIAL' 'by clamd'
send 127.0.0.1 3
is "$reply" "$virus" '3/4, EICAR as sneaky.txt: refused'
send 127.0.0.1 4
like "$reply" "$accepted" '4/4, GTUBE: accepted'
is "$(logged 1)" "filter-spamd:SPAM PASS:Qmail-Scanner anti-spam test (4/4)_ checking SpamAssassin" \
	'as spam'
is "$(delivered | xargs grep -h '^Subject: ' | sort)" \
	'Subject: Qmail-Scanner test (1/4): inoffensive message
Subject: [SPAM] Qmail-Scanner anti-spam test (4/4): checking SpamAssassin' \
	'two mails are in the box, one of them marked'
one=$(delivered | xargs grep -l '1/4' | head -n 1)
four=$(delivered | xargs grep -l '4/4' | head -n 1)
# unmarked FILE: as it was sent, and what the filters have put on top left out
unmarked() {
	as_sent "$1" | perl -0777 -pe 's/^X-Spam-[^\n]*\n(?:[ \t][^\n]*\n)*//mg;
		s/\A(?:Return-Path|Delivered-To|Received):.*\n(?:[ \t].*\n)*//g while
		/\A(?:Return-Path|Delivered-To|Received):/; s/^(Subject: )\[SPAM\] /$1/m'
}
unmarked "$one" >"$work/got"
same_file "$work/got" "$work/1" '1/4 as it was sent'
unmarked "$four" >"$work/got"
same_file "$work/got" "$work/4" '4/4 as it was sent'
like "$(sed '/^$/q' "$four")" '^X-Spam-Status: Yes, score=(99|100)[0-9]\.' \
	'and the score of GTUBE'
like "$(sed '/^$/q' "$one")" '^X-Spam-Status: No, ' 'the other has one of its own'

# The guide's log has two lines of spamd about each of the two.
is "$(grep -acE 'spamd: identified spam \((99|100)[0-9]\.[0-9]/5\.0\)' "$spamd_log") $(
	grep -ac 'spamd: clean message' "$spamd_log")" '1 1' 'spamd says the same'

# ---- perlscanner's part: Eicar.com by its name ----
echo .com >"$work/control/ssattach"
send 127.0.0.1 2
is "$reply" '554 Your email was rejected because it contains a bad attachment: Eicar.com' \
	'2/4 with .com in ssattach: refused before clamd sees it'
is "$(logged 1)" 'filter-attachment:ATTACH:Eicar.com' 'by its name'
send 127.0.0.1 3
is "$reply" "$virus" '3/4: a name says nothing, clamd does'
rm "$work/control/ssattach"

# ---- the rules ----
empty
for mail in 1 2 3 4; do
	send 127.0.0.2 $mail
	like "$reply" "$accepted" "no scanner for the host itself: $mail/4 accepted"
done
is "$(delivered | wc -l)" 4 'all are delivered'
is "$(delivered | xargs grep -l 'X-Spam\|\[SPAM\]')" '' 'as they are'

empty
send 127.0.0.3 1
like "$reply" "$accepted" 'no SpamAssassin for the local network: 1/4 accepted'
for mail in 2 3; do
	send 127.0.0.3 $mail
	is "$reply" "$virus" "$mail/4 refused"
done
send 127.0.0.3 4
like "$reply" "$accepted" '4/4 accepted'
is "$(logged 1)" "filter-spamd:RELAYCLIENT:Qmail-Scanner anti-spam test (4/4)_ checking SpamAssassin" \
	'and not asked about'
is "$(delivered | wc -l) $(delivered | xargs grep -l 'X-Spam\|\[SPAM\]')" '2 ' \
	'both are delivered as they are'

empty
send 127.0.0.4 1
send 127.0.0.4 4
like "$reply" "$accepted" 'with QS_SPAMASSASSIN, 4/4 is accepted'
is "$(delivered | xargs grep -h '^Subject: .*SPAM')" \
	'Subject: [SPAM] Qmail-Scanner anti-spam test (4/4): checking SpamAssassin' \
	'marked'
send 127.0.0.4 2
is "$reply" "$virus" 'and 2/4 refused'
is "$(grep -ac 'spamd: identified spam' "$spamd_log") $(
	grep -ac 'spamd: clean message' "$spamd_log")" '2 2' \
	'spamd was asked about the mails that the rules say, and no other'

# ---- a domain of its own ----
# simcontrol, compiled by simscanmk: nobody but postmaster wants spam marked.
empty
printf '%s\n' ':clam=yes,spam=no' 'postmaster@example.org:spam=yes,spam_hits=500' \
	>"$work/control/simcontrol"
is "$(simscanmk 2>&1)" '' 'simcontrol is compiled'
send 127.0.0.1 4
like "$reply" '^554 Your email is considered spam \((99|100)[0-9]\.[0-9]+ spam-hits\)$' \
	'spam_hits=500: 4/4 refused'
send 127.0.0.1 2
is "$reply" "$virus" 'and 2/4, as clam=yes has it for all'
sed -i 's/spam=yes.*/clam=no/' "$work/control/simcontrol"
simscanmk
send 127.0.0.1 2
like "$reply" "$accepted" 'clam=no: 2/4 accepted'
is "$(logged 3)" 'filter-attachment:SKIPPED:nothing to look for
filter-clamd:SKIPPED:clam=no
filter-spamd:SKIPPED:spam=no' 'and nobody asked'

# What is left of it all.
is "$(ls -A "$work/Maildir/tmp")" '' 'nothing is left in tmp'

done_testing
