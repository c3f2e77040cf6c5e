#!/bin/sh
# filter-rspamd with a real rspamd: its actions, what it orders for header and
# envelope, what it is told, and when it is away, hangs, is killed, or says what no
# rspamd says.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2154 # for, and from, daemons.sh and filters.sh
. "$(dirname "$0")/../lib.sh"
. "$tests/daemons.sh"
. "$tests/filters.sh"
unset RSPAMD_TAG RSPAMD_SETTINGS_ID SMTP_AUTH_USER SSL_CIPHER SSL_PROTOCOL
start_rspamd
envelope s@example.org r@example.net 'R@example.net'
ask="filter filter-rspamd -s $rspamd_socket"

# went_on_but FIELDS NAME: as it was, but for these fields
went_on_but() {
	is "$code $(cat "$work/text")" '0 ' "$2: passes"
	grep -Eiv "^($1):" "$work/next.message" >"$work/got"
	grep -Eiv "^($1):" "$work/message" >"$work/wanted"
	same_file "$work/got" "$work/wanted" "$2: but for that as it was"
	same_file "$work/next.envelope" "$work/envelope" "$2: envelope"
}

# --- what it says, each way to ask
for where in unix tcp; do
	socket=$rspamd_socket
	[ $where = unix ] || socket=127.0.0.1:$rspamd_port
	for through in 'file' 'offset' 'pipe'; do
		what="$where, $through"
		message hello
		filter filter-rspamd -s "$socket"
		went_on "$what, ham"
		is "$(cat "$work/next.pid")" "$pid" "$what, ham: one process"
		logged 'CLEAN \(0.00/15.00/15.00\):[0-9]+\.[0-9]{4}s:hello:.*:s@example.org:r@example.net,R@example.net' "$what, ham: log"
		message 'buy it' '' "$(gtube)"
		filter filter-rspamd -s "$socket"
		refused_with 82 'DGtube pattern (#5.7.1)' "$what, GTUBE"
		logged 'SPAM REJECT \(15.00/15.00/15.00\):[0-9.]+s:buy it:.*' "$what, GTUBE: log"
		message 'score 7'
		filter filter-rspamd -s "$socket"
		went_on_but 'X-Spam|X-Rspamd-Score' "$what, add header"
		is "$(head -n 3 "$work/next.message" | cut -c1-30)" 'X-Rspamd-Score: 7.00 / 15.00
X-Spam: Yes
Received: from client.example ' "$what, add header: marks"
		logged 'SPAM PASS \(7.00/15.00/15.00\):[0-9.]+s:score 7:.*' "$what, add header: log"
		message 'headers'
		lengthen 2000000
		filter filter-rspamd -s "$socket"
		went_on_but 'X-One|X-Placed|X-Many' "$what, 2 MB"
	done
done
is "$(ls -A "$work/scratch")" '' 'no file is left'

# --- actions
through='file'
message 'score 20'
$ask
refused_with 82 'DSpam message rejected (#5.7.1)' 'reject, without a text of its own'
message rejected
$ask
refused_with 82 'DNot wanted here (#5.7.1)' 'reject'
message soft
$ask
refused_with 82 'ZCome back later (#4.7.1)' 'soft reject'
logged 'SOFT REJECT \(.*\):[0-9.]+s:soft:.*' 'soft reject: log'
message grey
$ask
went_on 'greylist, which rspamd does itself'
logged 'GREYLIST \(.*\):[0-9.]+s:grey:.*' 'greylist: log'
$ask -g
refused_with 82 'ZNot yet (#4.7.1)' '-g: greylist'
message 'rewritten'
$ask
went_on_but 'Subject|X-Rspamd-Score' 'rewrite subject'
is "$(field Subject)" '[SPAM] rewritten' 'rewrite subject: the new one'
is "$(field X-Rspamd-Score)" '0.00 / 15.00' 'rewrite subject: score'
message 'score 20 discarded'
$ask
is "$code $(cat "$work/text")$(ls "$work"/next.* 2>/dev/null)" '0 ' 'discarded'
logged 'SPAM DROPPED \(.*\):[0-9.]+s:score 20 discarded:.*' 'discarded: log'
message 'score 20 quarantined'
$ask
went_on_but 'X-Spam|X-Rspamd-Score' 'quarantine, without a place: it is marked'
is "$(field X-Spam)" 'Yes' 'quarantine: the mark'
mkdir "$work/kept"
$ask -q "$work/kept"
is "$code $(cat "$work/text")$(ls "$work"/next.* 2>/dev/null)" '0 ' 'quarantine, with one'
sed '/^X-Quarantine\|^X-Envelope/d' "$work/kept"/* >"$work/got"
same_file "$work/got" "$work/message" 'quarantine: it is there'
rm "$work/kept"/*
message discarded
$ask -q "$work/kept"
went_on 'what a rejection would be is no rejection'
is "$(ls "$work/kept")" '' 'and nothing is kept'

# --- header and envelope
message headers 'X-Gone: 1' 'x-gone: 2' '	more' 'X-Second: 1' 'X-Second: 2' 'X-Second: 3' \
	'X-Last: 1' 'X-Last: 2' 'X-Spam: No' 'X-Rspamd-Score:' ' -5' 'X-Spammer: me' '' body
$ask
is "$code" 0 'headers: passes'
is "$(sed -n 1p "$work/next.message")" 'X-Many: a' 'headers: one on top'
# Which of them comes first, rspamd leaves open.
is "$(sed -n '2,/^From/p' "$work/next.message" | sed '/^  /d; s/ .*//' | sort | paste -sd' ')" \
	'From: Received: X-Many: X-Placed:' 'headers: two below the first'
is "$(field X-One)|$(field X-Many | paste -sd,)" 'one|a,b,last' 'headers: all are there'
is "$(field X-Gone)$(field X-Last)|$(field X-Second | paste -sd,)" '1|1,3' 'headers: removed'
is "$(field X-Spam)$(field X-Rspamd-Score)|$(field X-Spammer)" '|me' 'forged marks are gone'
is "$(sed '1,/^$/d' "$work/next.message")" body 'headers: the body is there'
message 'signed'
$ask
is "$(field DKIM-Signature)" 'v=1; d=example.net' 'a signature'
message sender
$ask
is "$(tr '\0' '|' <"$work/next.envelope")" \
	'Fchanged@example.net|Tr@example.net|TR@example.net|Tadded@example.net||' 'another envelope'
for text in 'no header at all' ''; do
	printf '%s\n\nX-Spam: No\n' "$text" >"$work/message"
	$ask
	is "$code" 0 "a message that begins with '$text'"
	tail -n 2 "$work/message" >"$work/wanted"
	tail -n 2 "$work/next.message" >"$work/got"
	same_file "$work/got" "$work/wanted" 'it passes as it is'
done
for through in 'file' 'pipe'; do
	: >"$work/message"
	$ask
	is "$code $(cat "$work/text")" '0 ' "no byte at all, $through"
	message full
	yes 'X-More: and more of it and so on' | head -c 300000 >"$work/full"
	cat "$work/full" "$work/message" >"$work/head"
	mv "$work/head" "$work/message"
	$ask
	refused_with 82 "DYour email's header is too long (#5.6.0)" "a header of 300 kB, $through"
done

# --- settings
through='file'
message 'score 7'
RSPAMD_SOCKET=$rspamd_socket filter filter-rspamd
is "$code $(field X-Spam)" '0 Yes' RSPAMD_SOCKET
export RELAYCLIENT=
message 'score 20' 'X-Spam: Yes' '' forged
$ask
went_on_but 'X-Spam' 'RELAYCLIENT: not asked'
is "$(field X-Spam)" '' 'RELAYCLIENT: nor marked'
logged 'RELAYCLIENT:[0-9.]+s:score 20:.*' 'RELAYCLIENT: log'
$ask -a
refused_with 82 'DSpam message rejected (#5.7.1)' '-a: asked all the same'
QS_SPAMASSASSIN=on $ask
refused_with 82 'DSpam message rejected (#5.7.1)' 'QS_SPAMASSASSIN=on, too'
unset RELAYCLIENT
$ask -m 100
is "$code $(sed -n 1p "$work/next.message")" '0 X-Filter-Skipped: filter-rspamd (too long)' \
	'-m: longer messages pass, and are marked'
is "$(field X-Spam)" '' '-m: forged marks are gone'
$ask -m 10000
is "$code" 82 '-m: shorter ones are scanned'
for wrong in '-t 0' '-t x' '-m -1' -z; do
	# shellcheck disable=SC2086 # options
	filter filter-rspamd $wrong
	like "$code $(tail -n 1 "$work/log")" '^100 filter-rspamd: usage: ' "wrong use: $wrong"
done
if is_here simscanmk 'settings of a domain'; then
	# for_domain LINE SUBJECT CODE STATE [OPTION…]
	for_domain() {
		echo "$1" >"$work/control/simcontrol"
		simscanmk
		message "$2"
		line="simcontrol $1" wanted=$3 state=$4
		shift 4
		$ask "$@"
		is "$code" "$wanted" "$line"
		logged "$state:[0-9.]+s:.*" "$line: log"
	}
	for_domain 'example.net:spam=yes' 'score 7' 0 'SPAM PASS \(7.00/15.00/15.00\)'
	for_domain 'example.net:spam=no' 'score 20' 0 SKIPPED
	for_domain ':clam=yes' 'score 20' 0 SKIPPED
	sed -i '1iX-Spam: No' "$work/message"
	$ask
	is "$code $(field X-Spam)" '0 ' 'not asked: forged marks are gone all the same'
	for_domain 'example.net:spam=yes,spam_hits=6.5' 'score 7' 82 'SPAM REJECT \(7.00/15.00/6.50\)'
	is "$(cat "$work/text")" 'DYour email is considered spam (7.00 spam-hits)' 'the score in the text'
	for_domain 'example.net:spam=yes,spam_hits=8' 'score 7' 0 'SPAM PASS .*'
	for_domain 'example.net:spam=yes,spam_passthru=yes' 'score 20' 0 'PASSTHRU \(20.00/15.00/15.00\)'
	is "$(field X-Spam)" Yes 'it is marked'
	for_domain 'example.net:spam=yes,size_limit=100' 'score 20' 0 UNSCANNED
	rm "$work/control"/sim*
fi

# --- what it is told
# A server that keeps the question and has no objection.
cat >"$work/keep" <<'END'
use IO::Socket::UNIX;
my ($path, $into) = @ARGV;
my $server = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die;
while (my $client = $server->accept) {
	my ($asked, $left) = ('');
	while (sysread $client, $asked, 65536, length $asked) {
		if (!defined $left && $asked =~ /\r\n\r\n/) {
			my ($length) = $asked =~ /^Content-Length: (\d+)\r$/m or die;
			$left = $+[0] + $length if $asked =~ /\r\n\r\n/;
		}
		last if defined $left && length $asked >= $left;
	}
	open my $file, '>', $into or die;
	print $file $asked;
	close $file;
	print $client "HTTP/1.1 200 OK\r\n\r\n{\"action\":\"no action\"}";
}
END
perl "$work/keep" "$work/keep.socket" "$work/asked" &
keep=$!
started="$started $keep"
wait_until test -S "$work/keep.socket"
told() {
	env TCPREMOTEIP=192.0.2.7 "$@" >"$work/told" 2>&1
}
# asked_for [NAME=VALUE…]
asked_for() {
	rm -f "$work/asked"
	filter env "$@" filter-rspamd -s "$work/keep.socket"
	tr -d '\r' <"$work/asked" >"$work/question"
}
# asked NAME WANTED CASE
asked() {
	is "$(sed -n '/^$/q; p' "$work/question" | sed -n "s/^$1: //p")" "$2" "$3"
}
message hello
asked_for TCPREMOTEIP=192.0.2.7 TCPREMOTEHOST=host.example SMTP_AUTH_USER=me@example.org \
	TCPLOCALHOST=server.example RSPAMD_TAG=in RSPAMD_SETTINGS_ID=7 \
	SSL_CIPHER=TLS_AES_256_GCM_SHA384 SSL_PROTOCOL=TLSv1.3
is "$code" 0 'the question is answered'
is "$(sed -n 1p "$work/question")" 'POST /checkv2 HTTP/1.0' 'the question'
asked Content-Length "$(wc -c <"$work/message")" 'its length'
sed '1,/^$/d' "$work/question" >"$work/got"
same_file "$work/got" "$work/message" 'the message'
asked IP 192.0.2.7 'the address'
asked Hostname host.example 'the name'
asked User me@example.org 'the user'
asked MTA-Name server.example 'the server'
asked MTA-Tag in RSPAMD_TAG
asked Settings-ID 7 RSPAMD_SETTINGS_ID
asked TLS-Cipher TLS_AES_256_GCM_SHA384 'the cipher'
asked TLS-Version TLSv1.3 'the version'
asked Queue-Id "$pid" 'the qp'
asked From s@example.org 'the sender'
asked Rcpt 'r@example.net
R@example.net' 'the recipients'
asked Helo '' 'no HELO out of a field that is not of our server'
asked_for TCPREMOTEIP=
is "$(sed -n '/^$/q; p' "$work/question" | sed 's/:.*//' | paste -sd' ')" \
	'POST /checkv2 HTTP/1.0 Content-Length Queue-Id From Rcpt Rcpt' 'what is not known is not told'
received() {
	{
		printf 'X-Filter-Skipped: filter-clamd (x)\nReceived: from %s\n' "$1"
		printf '  by server.example with SMTP; 21 Nov 2026 10:00:00 -0000\n'
		printf 'Received: from evil (HELO evil) (192.0.2.7)\n\n'
	} >"$work/message"
	asked_for TCPREMOTEIP=192.0.2.7
}
received 'host.example (HELO some.name) (me@192.0.2.7)'
asked Helo some.name 'HELO'
received 'host.example (192.0.2.7)'
asked Helo host.example 'HELO with the name of the host'
received 'unknown (HELO [192.0.2.9]) (192.0.2.7)'
asked Helo '[192.0.2.9]' 'HELO with an address'
received 'host.example (HELO other) (192.0.2.8)'
asked Helo '' 'HELO of another client'
asked_for TCPREMOTEIP="192.0.2.7
Settings: {}" TCPREMOTEHOST="$(printf 'a\rb\001')"
asked IP '192.0.2.7?Settings: {}' 'a line end is none'
asked Hostname 'a?b?' 'nor a CR'
like "$(tr '\r' '#' <"$work/asked")" '^Hostname: a\?b\?#$' 'in the question as it was sent'
envelope '' 'a
b@example.net'
asked_for
asked From '<>' 'no sender'
asked Rcpt 'a?b@example.net' 'a line end in an address'
# shellcheck disable=SC2046 # words
envelope s@example.org $(seq -f 'recipient-number-%g@some.long.name.example.org' 3000)
asked_for
is "$code" 0 'three thousand recipients'
[ "$(sed '/^.$/q' "$work/asked" | wc -c)" -lt 80000 ]
is $? 0 'are too many for HTTP'
message hello
$ask
went_on 'three thousand recipients, rspamd'
if is_plain '100 MB'; then
	lengthen 100000000
	for through in 'file' 'pipe'; do
		rm -f "$work/asked"
		# Of address space: what is resident is a part of it.
		(
			ulimit -v 8192
			filter filter-rspamd -m 0 -t 60 -s "$work/keep.socket" true
			is "$code $(cat "$work/text" "$work/log" | cut -d: -f3)" \
				'0 CLEAN (0.00/0.00/0.00)' "100 MB in 8 MB, $through"
			exit "$failed"
		)
		failed=$?
		count=$((count + 1))
		sed '1,/^.$/d' "$work/asked" >"$work/got"
		same_file "$work/got" "$work/message" "100 MB, $through: the question"
	done
	through='file'
	rm "$work/asked" "$work/got" "$work/message"
fi
stop "$keep"
envelope '' r@example.net
message 'score 7'
TCPREMOTEIP=192.0.2.7 SMTP_AUTH_USER=some.user $ask
is "$code" 0 'no sender, rspamd'
wait_for_line "$rspamd_log" "qid: <$pid>, ip: 192.0.2.7, user: some.user"
ok 'rspamd understands it'
envelope s@example.org r@example.net R@example.net

# --- as a client sees it
message 'score 20'
chain filter-rspamd -s "$rspamd_socket"
is "$(smtp smtpd)" '554 Spam message rejected (#5.7.1)' 'smtpd: spam'
message soft
is "$(smtp smtpd)" '451 Come back later (#4.7.1)' 'smtpd: soft reject'
message 'score 7'
like "$(smtp smtpd)" '^250 ok [0-9]+ qp [0-9]+$' 'smtpd: spam that is marked'
is "$(field X-Spam)" Yes 'smtpd: mark'
chain filter-rspamd -s "$work/nowhere"
is "$(smtp smtpd)" '451 qq trouble making network connection (#4.3.0)' 'smtpd: no rspamd'
if is_here mailfront mailfront; then
	# It takes mail for everybody from our own users only.
	export RELAYCLIENT='' QS_SPAMASSASSIN=on
	chain filter-rspamd -s "$rspamd_socket"
	message 'score 20'
	like "$(smtp mailfront smtp qmail accept)" '^554 ' 'mailfront: spam'
	message soft
	like "$(smtp mailfront smtp qmail accept)" '^451 ' 'mailfront: soft reject'
	message 'score 7'
	like "$(smtp mailfront smtp qmail accept)" '^250 ' 'mailfront: spam that is marked'
	is "$(field X-Spam)" Yes 'mailfront: mark'
	unset RELAYCLIENT QS_SPAMASSASSIN
fi

# --- without a verdict
message 'score 20' 'X-Spam: No' '' hello
no_verdict 56 'cannot connect to rspamd, file does not exist' 'no socket' \
	filter filter-rspamd -s "$work/nowhere"
FILTER_FAIL=open filter filter-rspamd -s "$work/nowhere"
is "$code" 0 'FILTER_FAIL=open'
FILTER_FAIL=open filter filter-rspamd -s "$work/nowhere" -x
is "$code" 56 '-x comes before it'
no_verdict 56 'cannot connect to rspamd, connection refused' 'no port' \
	filter filter-rspamd -s "127.0.0.1:$(free_port)"
good='HTTP/1.1 200 OK\r\n'
yes='{"action":"no action"}'
fake 'rspamd gives no answer' 'nothing' say ''
fake 'rspamd gives an answer that is not HTTP' 'garbage' say '\001\002\003'
fake "(rspamd gives an answer that is not HTTP|cannot hear rspamd, connection reset( by peer)?)" 'another server' early '220 smtp.example.org\r\n'
fake 'rspamd gives half an answer' 'half an answer' say "${good}Content-Length: 99\r\n\r\n$yes"
fake 'rspamd gives an answer that is not JSON' 'half of JSON' say "$good\r\n{\"action\":\"no action\""
fake 'rspamd gives an answer that is not JSON' 'no JSON' say "$good\r\nno action"
fake 'rspamd gives an answer that is not JSON' 'chunks' say "${good}Transfer-Encoding: chunked\r\n\r\n16\r\n$yes\r\n0\r\n\r\n"
fake 'rspamd gives an answer without an action' 'no action' say "$good\r\n{}"
fake 'rspamd gives in\?valid' 'an error' say 'HTTP/1.1 500 no\r\n\r\n{"error":"in\134nvalid"}'
fake 'rspamd gives an error of HTTP' 'an error without a reason' say "HTTP/1.1 503 busy\r\n\r\n$yes"
fake "rspamd answers too much" 'an endless answer' flood "$good\r\n                                        "
fake 'rspamd gives an answer that is not JSON' 'a deep one' say \
	"$good\r\n$(printf '%1000s' '' | tr ' ' '[')"
fake_how=drip fake_text="$good\r\n$yes"
message hello
filter_fake
went_on 'an answer in pieces'
fake_seconds=1
no_verdict 52 'rspamd does not answer' 'an answer that is too slow' filter_fake
unset fake_seconds
fake_how=hold fake_text="${good}Content-Length: 22\r\n\r\n$yes"
message hello
filter_fake
went_on 'an answer that is not hung up after'
# What the client's message can put into rspamd's mouth.
orders='"milter":{"add_headers":{"X-Two":"a\134nBcc: x@y","X Bad":"b","X-Ctl":"a\134u001b\134rb","X-Null":"a\134u0000b"},"remove_headers":{"*":0},"change_from":"a\134nb@c","add_rcpt":["x y@z","","<q@example.net>"]},"dkim-signature":["v=1;\134n\134tb=1","v=2"]'
fake_how=say fake_text="$good\r\n{\"action\":\"made \\134u001bup\",$orders}"
message hello
filter_fake
is "$code" 0 'an rspamd with ideas of its own'
is "$(field Bcc)$(field 'X Bad')" '' 'a field is one field, and has a name'
is "$(sed -n '/^X-Two/{p;n;p;}' "$work/next.message")" "$(printf 'X-Two: a\n\tBcc: x@y')" \
	'a second line is folded'
is "$(field X-Ctl)" 'a? b' 'no control characters'
is "$(head -n 3 "$work/next.message")" "$(printf 'DKIM-Signature: v=1;\n\tb=1\nDKIM-Signature: v=2')" \
	'two signatures'
is "$(tr '\0' '|' <"$work/next.envelope")" \
	'Fs@example.org|Tr@example.net|TR@example.net|Tq@example.net||' 'what is no address is left out'
like "$(cat "$work/log")" "rspamd's action is not known. made \\?up" 'an action that nobody knows is logged'
fake_text="$good\r\n{\"action\":\"reject\",\"messages\":{\"smtp_message\":\"a\\134r\\134n250 ok $(printf '%300s' x)\"}}"
message hello
filter_fake
like "$code $(cat "$work/text")" '^82 Da\?\?250 ok  *\(#5\.7\.1\)$' 'a text of several lines'
fake_text="$good\r\n{\"action\":\"no action\",\"milter\":{\"del_rcpt\":[\"r@example.net\"]}}"
filter_fake
is "$code$(ls "$work"/next.* 2>/dev/null)" 0 'without a recipient it goes nowhere'
logged 'DROPPED \(.*\):[0-9.]+s:hello:.*' 'without a recipient: log'

# --- hung, killed, stopped
daemon_hangs
message 'score 7'
filter filter-rspamd -t 20 -s "$rspamd_socket"
is "$code $(field X-Spam)" '0 Yes' 'it goes on'
daemon_is_killed 'rspamd gives no answer'
daemon_is_stopped

# --- what is no message at all
client_has_gone

# --- a server that cannot be one
no_server
done_testing
