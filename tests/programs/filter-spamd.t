#!/bin/sh
# filter-spamd with a real spamd: its marks and nobody else's, scores, settings, and
# when it is away, hangs, is killed, or says what no spamd says.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2154 # for, and from, daemons.sh and filters.sh
. "$(dirname "$0")/../lib.sh"
. "$tests/daemons.sh"
. "$tests/filters.sh"
start_spamd 'rewrite_header Subject [SPAM]'
envelope s@example.org r@example.net 'R@example.net'

# unmarked: $work/got is that without spamd's fields, which are on top
unmarked() {
	perl -0777 -pe 's/\A(?:X-Spam-.*\n(?:[ \t].*\n)*)*//' \
		"$work/next.message" >"$work/got"
}
# went_on_marked FILE NAME: that, but for spamd's fields
went_on_marked() {
	unmarked
	is "$code $(cat "$work/text")" '0 ' "$2: passes"
	same_file "$work/got" "$1" "$2: but for marks as it should be"
	same_file "$work/next.envelope" "$work/envelope" "$2: envelope"
}
spam() {
	message 'buy it' '' "$(gtube)"
}

# --- what it says, each way to ask
for where in unix tcp; do
	socket=$spamd_socket
	[ $where = unix ] || socket=127.0.0.1:$spamd_port
	for through in 'file' 'offset' 'pipe'; do
		what="$where, $through"
		message hello
		filter filter-spamd -s "$socket"
		went_on_marked "$work/message" "$what, ham"
		like "$(field X-Spam-Status)" '^No, score=0.0 required=5.0' "$what, ham: marks"
		is "$(field X-Spam-Flag)" '' "$what, ham: no flag"
		is "$(cat "$work/next.pid")" "$pid" "$what, ham: one process"
		logged 'CLEAN \(0.00/5.00/-\):[0-9]+\.[0-9]{4}s:hello:.*:s@example.org:r@example.net,R@example.net' "$what, ham: log"
		spam
		filter filter-spamd -s "$socket"
		sed 's/^Subject: buy it/Subject: [SPAM] buy it/' "$work/message" >"$work/wanted"
		went_on_marked "$work/wanted" "$what, spam"
		is "$(field X-Spam-Flag)" YES "$what, spam: a flag"
		like "$(field X-Spam-Status)" '^Yes, score=1000.0 required=5.0' "$what, spam: marks"
		logged 'SPAM PASS \(1000.00/5.00/-\):[0-9.]+s:buy it:.*' "$what, spam: log"
		filter filter-spamd -s "$socket" -R 20.5
		refused_with 82 'DYour email is considered spam (1000.00 spam-hits)' "$what, -R"
		logged 'SPAM REJECT \(1000.00/5.00/20.50\):[0-9.]+s:buy it:.*' "$what, -R: log"
	done
done
is "$(ls -A "$work/scratch")" '' 'no file is left'

# --- headers of all kinds
through='file'
message 'forged' 'X-Spam-Flag: NO' 'x-spam-STATUS: No,' '	score=-100' \
	'X-Spam-Mine: all mine' 'X-Spam-Flag : NO' 'X-Spammer: me' '' hello
filter filter-spamd -s "$spamd_socket"
is "$(grep -c ^X-Spam- "$work/next.message")" 3 'forged marks are gone'
unlike "$(cat "$work/next.message")" 'score=-100|^X-Spam-(Flag|Mine)' 'all of them'
is "$(field X-Spammer)" me 'other fields are not'
kept=$work/next.kept
for switch in 'RELAYCLIENT=' 'NONE=1'; do
	set -- filter filter-spamd -s "$work/nowhere" -o
	(
		export "${switch?}"
		"$@"
		cp "$work/next.message" "$kept"
	)
	unlike "$(cat "$kept")" '^X-Spam-' "$switch: also when nobody is asked"
	rm "$kept"
done
printf 'Subject: =?UTF-8?Q?a?=\n =?UTF-8?Q?_b?=\nFrom: a@b\n\n%s\n' "$(gtube)" >"$work/message"
filter filter-spamd -s "$spamd_socket"
is "$(sed -n '/^Subject/,/^From/p' "$work/next.message")" \
	'Subject: [SPAM] =?UTF-8?Q?a?=
 =?UTF-8?Q?_b?=
From: a@b' 'a folded Subject'
printf 'From: a@b\n\n%s\n' "$(gtube)" >"$work/message"
filter filter-spamd -s "$spamd_socket"
like "$(field Subject)" '^\[SPAM\] *$' 'no Subject'
printf 'Subject: one\nFrom: a@b\nSubject: two\n\nham\n' >"$work/message"
filter filter-spamd -s "$spamd_socket"
is "$(field Subject | paste -sd' ')" 'one two' 'two Subjects of ham'
printf 'Subject: one\r\nFrom: a@b\r\n\r\nham\r\n' >"$work/message"
filter filter-spamd -s "$spamd_socket"
unmarked
same_file "$work/got" "$work/message" 'CRs stay'
printf 'no header at all\n\nX-Spam-Flag: YES\n' >"$work/message"
filter filter-spamd -s "$spamd_socket"
is "$code" 0 'no header'
unmarked
{ echo; cat "$work/message"; } >"$work/wanted"
same_file "$work/got" "$work/wanted" 'no header: it gets one'
for through in 'file' 'pipe'; do
	: >"$work/message"
	filter filter-spamd -s "$spamd_socket"
	is "$code" 0 "no byte at all, $through"
	message long
	lengthen 2000000
	filter filter-spamd -m 3000000 -s "$spamd_socket"
	unmarked
	same_file "$work/got" "$work/message" "2 MB, $through"
	message full
	yes 'X-More: and more of it and so on' | head -c 300000 >"$work/full"
	cat "$work/full" "$work/message" >"$work/head"
	mv "$work/head" "$work/message"
	filter filter-spamd -s "$spamd_socket"
	refused_with 82 "DYour email's header is too long (#5.6.0)" "a header of 300 kB, $through"
done

# --- scores and settings
through='file'
# scored SUBJECT CODE STATE COMMAND…
scored() {
	message "$1"
	wanted=$2 state=$3
	shift 3
	"$@"
	is "$code" "$wanted" "$*"
	logged "$state:[0-9.]+s:.*" "$*: log"
}
ask="filter filter-spamd -s $spamd_socket"
# shellcheck disable=SC2086 # words
{
	scored 'score 7' 0 'SPAM PASS \(7.00/5.00/7.01\)' $ask -R 7.01
	scored 'score 7' 82 'SPAM REJECT \(7.00/5.00/7.00\)' $ask -R 7
	is "$(cat "$work/text")" 'DYour email is considered spam (7.00 spam-hits)' 'the score in the text'
	scored 'score 3' 82 'SPAM REJECT \(3.00/5.00/2.50\)' $ask -R 2.5
	scored 'score 3' 0 'CLEAN \(3.00/5.00/20.00\)' $ask -R 20
	scored 'score 20' 0 'SPAM DROPPED \(20.00/5.00/10.00\)' $ask -d -R 10
	[ ! -e "$work/next.pid" ]
	is $? 0 '-d: what is refused goes nowhere'
	mkdir "$work/kept"
	scored 'score 20' 82 'SPAM REJECT \(20.00/5.00/10.00\)' $ask -q "$work/kept" -R 10
	sed '/^X-Quarantine\|^X-Envelope/d' "$work/kept"/* >"$work/got"
	same_file "$work/got" "$work/message" '-q: it is kept'
	scored 'score 20' 0 'SPAM PASS \(20.00/5.00/-\)' $ask -c
	same_file "$work/next.message" "$work/message" '-c: no marks'
	scored 'score 20' 82 'SPAM REJECT \(20.00/5.00/10.00\)' $ask -c -R 10
	SPAMD_SOCKET=$spamd_socket scored 'score 20' 0 'SPAM PASS \(20.00/5.00/-\)' filter filter-spamd
	RELAYCLIENT='' scored 'score 20' 0 RELAYCLIENT $ask -R 10
	same_file "$work/next.message" "$work/message" 'RELAYCLIENT: nothing is changed'
	export RELAYCLIENT=
	QS_SPAMASSASSIN=on scored 'score 20' 82 'SPAM REJECT \(.*\)' $ask -R 10
	unset RELAYCLIENT
	scored hello 0 'UNSCANNED' $ask -m 100
	is "$(sed -n 1p "$work/next.message")" 'X-Filter-Skipped: filter-spamd (too long)' '-m: is marked'
}
message long
lengthen 600000
filter filter-spamd -s "$spamd_socket"
is "$(sed -n 1p "$work/next.message")" 'X-Filter-Skipped: filter-spamd (too long)' '512 KiB is the usual limit'
message hello
filter filter-spamd -u 'some.user@example.net' -s "$spamd_socket"
is "$code" 0 '-u'
wait_for_line "$spamd_log" 'for some.user@example.net:[0-9]+ '
ok '-u: spamd knows him'
filter filter-spamd -u 'two words' -s "$spamd_socket"
is "$code" 55 '-u: a name is one word'
for wrong in '-R x' '-R 1x' '-R -' -z; do
	# shellcheck disable=SC2086 # options
	filter filter-spamd $wrong
	like "$code $(tail -n 1 "$work/log")" '^100 filter-spamd: usage: ' "wrong use: $wrong"
done
if is_here simscanmk 'settings of a domain'; then
	# for_domain LINE CODE STATE [OPTION…]: for a message of score 7
	for_domain() {
		echo "$1" >"$work/control/simcontrol"
		simscanmk
		message 'score 7'
		line=$1 wanted=$2 state=$3
		shift 3
		filter filter-spamd -s "$spamd_socket" "$@"
		is "$code" "$wanted" "simcontrol $line"
		logged "$state:[0-9.]+s:.*" "simcontrol $line: log"
	}
	for_domain 'example.net:spam=yes' 0 'SPAM PASS \(7.00/5.00/-\)'
	for_domain 'example.net:spam=no' 0 SKIPPED
	for_domain ':clam=yes' 0 SKIPPED
	for_domain 'example.net:spam=yes,spam_hits=6.5' 82 'SPAM REJECT \(7.00/5.00/6.50\)'
	for_domain 'example.net:spam=yes,spam_hits=8' 0 'SPAM PASS \(7.00/5.00/8.00\)' -R 5
	for_domain 'example.net:spam=yes,spam_hits=6,spam_passthru=yes' 0 'PASSTHRU \(7.00/5.00/6.00\)'
	is "$(field Subject) $(field X-Spam-Flag)" '[SPAM] score 7 YES' 'it is marked'
	for_domain 'example.net:spam=yes,size_limit=100' 0 UNSCANNED
	for_domain 'example.net:spam=yes,spamuser=another' 0 'SPAM PASS .*'
	wait_for_line "$spamd_log" 'for another:[0-9]+ '
	ok 'spamuser: spamd knows him'
	rm "$work/control"/sim*
fi

# --- as a client sees it
message 'score 20'
chain filter-spamd -s "$spamd_socket" -R 10
is "$(smtp smtpd)" '554 Your email is considered spam (20.00 spam-hits)' 'smtpd: spam'
chain filter-spamd -s "$spamd_socket"
like "$(smtp smtpd)" '^250 ok [0-9]+ qp [0-9]+$' 'smtpd: spam that is marked'
is "$(field X-Spam-Flag) $(field Subject)" 'YES [SPAM] score 20' 'smtpd: marks'
chain filter-spamd -s "$work/nowhere"
is "$(smtp smtpd)" '451 qq trouble making network connection (#4.3.0)' 'smtpd: no spamd'
like "$(RELAYCLIENT='' smtp smtpd)" '^250 ' 'smtpd: our own users need none'
if is_here mailfront mailfront; then
	# It takes mail for everybody from our own users only.
	export RELAYCLIENT='' QS_SPAMASSASSIN=on
	chain filter-spamd -s "$spamd_socket" -R 10
	like "$(smtp mailfront smtp qmail accept)" '^554 ' 'mailfront: spam'
	message hello
	like "$(smtp mailfront smtp qmail accept)" '^250 ' 'mailfront: ham'
	like "$(field X-Spam-Status)" '^No' 'mailfront: it went on'
	chain filter-spamd -s "$work/nowhere"
	like "$(smtp mailfront smtp qmail accept)" '^451 ' 'mailfront: no spamd'
	unset RELAYCLIENT QS_SPAMASSASSIN
fi

# --- without a verdict
message hello
no_verdict 56 'cannot connect to spamd, file does not exist' 'no socket' \
	filter filter-spamd -s "$work/nowhere"
no_verdict 56 'cannot connect to spamd, connection refused' 'no port' \
	filter filter-spamd -s "127.0.0.1:$(free_port)"
good='SPAMD/1.1 0 EX_OK\r\n'
whole='spamd gives no whole answer'
fake "$whole" 'nothing' say ''
fake "$whole" 'a verdict without a header' say "${good}Spam: True ; 9.0 / 5.0\r\n\r\n"
fake "$whole" 'a cut header' say "${good}Content-length: 20\r\nSpam: True ; 9.0 / 5.0\r\n\r\nX-Spam-Flag: YES\n\n"
fake "$whole" 'a cut field' say "${good}Spam: False ; 9.0 / 5.0"
fake 'spamd says SPAMD/1.0 76 Bad header line_ .x' 'an error' say 'SPAMD/1.0 76 Bad header line: \033x\r\n'
fake 'spamd says SPAMD/1.1 0 EX_OK' 'no verdict' say "${good}\r\n"
fake 'spamd says SPAMD/1.1 0 EX_OK' 'another verdict' say "${good}Spam: Perhaps ; 1.0 / 5.0\r\n\r\n"
fake 'spamd says HTTP/1.1 400 Bad Request' 'another server' early 'HTTP/1.1 400 Bad Request\r\n\r\n'
fake 'spamd says (SPAMD/1.1 0 EX_OK)*.*' 'an endless answer' flood 'SPAMD/1.1 0 EX_OK'
fake 'spamd says SPAMD/1.1 0 EX_OK' 'an answer that is too long' say "${good}Content-length: 9999999\r\nSpam: True ; 1 / 5\r\n\r\n"
# A spamd that has been taken over writes what it likes, but only marks.
fields='X-Spam-Flag: YES\nX-Spam-Ctl: a\033[2Jb\rc\nX-Spam-Fold: a\n \n\tb\nX-Spam : x\nBcc: x@y\nSubject: new\r\n bad\001one\nX-Spam-End: x\n\nX-Spam-Body: x\n'
# shellcheck disable=SC2059 # as a format, as the daemon takes it
length=$(printf "$fields" | wc -c)
fake_how=say fake_text="${good}Content-length: $length\r\nSpam: True ; 9.0 / 5.0\r\n\r\n$fields"
filter_fake
is "$code" 0 'a spamd with ideas of its own'
is "$(field Bcc)$(field X-Spam-Body)" '' 'its other fields are not taken'
like "$(field X-Spam-Ctl)" '^a\?\[2Jb.?c$' 'nor control characters'
is "$(grep -c "$(printf '\r')" "$work/next.message")" 0 'nor CRs'
like "$(field Subject)" '^new' 'a Subject is one field'
unmarked
is "$(sed '/^Subject/,/^Date/{/^Date/!d;}' "$work/got")" \
	"$(sed '/^Subject/,/^Date/{/^Date/!d;}' "$work/message")" 'the rest is the client'\''s'
fake_how=hold fake_text="${good}Content-length: 18\r\nSpam: True ; 9.0 / 5.0\r\n\r\nX-Spam-Flag: YES\n\n"
filter_fake
is "$code $(field X-Spam-Flag)" '0 YES' 'an answer that is not hung up after'
fake_how=drip fake_text="${good}Spam: True ; 9.0 / 5.0\r\n\r\n" fake_seconds=1
no_verdict 52 'spamd does not answer' 'an answer that is too slow' filter_fake
unset fake_seconds

# --- hung, killed, stopped
daemon_hangs
message 'score 7'
filter filter-spamd -t 20 -s "$spamd_socket"
is "$code $(field X-Spam-Flag)" '0 YES' 'it goes on'
daemon_is_killed "$whole"
daemon_is_stopped

# --- what is no message at all
client_has_gone

# --- a server that cannot be one
no_server
done_testing
