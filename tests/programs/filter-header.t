#!/bin/sh
# filter-header: fields removed, added, rewritten; values with variables; messages
# of all kinds.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from filters.sh
. "$(dirname "$0")/../lib.sh"
. "$tests/filters.sh"
envelope s@example.org r@example.net 'R@example.net'

# header: what the next one got, up to the empty line
header() {
	sed '/^$/,$d' "$work/next.message"
}
# body NAME: it is as it was
body() {
	sed '1,/^$/d' "$work/next.message" >"$work/got"
	sed '1,/^$/d' "$work/message" >"$work/wanted"
	same_file "$work/got" "$work/wanted" "$1: body"
}
# short LINE…: a message with these lines
short() {
	printf '%s\n' "$@" >"$work/message"
}

for through in 'file' 'offset' 'pipe'; do
	message hello
	filter filter-header
	went_on "nothing to do, $through"
	logged 'UNCHANGED:[0-9]+\.[0-9]{4}s:-:.*:s@example.org:r@example.net,R@example.net' "nothing to do, $through: log"
	filter filter-header -r X-None
	went_on "nothing to remove, $through"
	for length in 10 20000 2000000; do
		message hello 'X-Spam: no' '' body
		lengthen $length
		filter filter-header -a 'X-Top: 1' -A 'X-End: 2' -r x-spam -w 'subject: bye'
		is "$(header)" 'X-Top: 1
Received: from client.example (HELO client)
  by server.example with SMTP; 21 Nov 2026 10:00:00 -0000
From: Sender <s@example.org>
To: r@example.net
subject: bye
Date: Sat, 21 Nov 2026 10:00:00 +0000
Message-ID: <1@client.example>
X-End: 2' "all four, $length bytes, $through"
		body "$length bytes, $through"
		same_file "$work/next.envelope" "$work/envelope" "$length bytes, $through: envelope"
		is "$(cat "$work/next.pid")" "$pid" "$length bytes, $through: one process"
		logged 'EDITED:[0-9.]+s:-:.*' "$length bytes, $through: log"
	done
done
is "$(ls -A "$work/scratch")" '' 'no file is left'

# --- the order of the command line
through='file'
short 'A: 1' '' body
filter filter-header -a 'X: 1' -a 'X: 2' -A 'Y: 1' -A 'Y: 2'
is "$(header | paste -sd,)" 'X: 2,X: 1,A: 1,Y: 1,Y: 2' 'added in order'
filter filter-header -a 'X: 1' -r X -A 'X: 2'
is "$(header | paste -sd,)" 'A: 1,X: 2' 'removed and added again'
short 'X-Spam-Flag: 1' ' 2' 'A: 1' 'x-spam-: 2' 'X-Spam: 3' '' 'X-Spam-: body'
filter filter-header -r 'X-Spam-*'
is "$(header | paste -sd,)" 'A: 1,X-Spam: 3' 'names that begin so'
short 'A: 1' 'B: 1' 'A: 2' '' body
filter filter-header -w 'A: x' -w 'C: y'
is "$(header | paste -sd,)" 'A: x,B: 1,C: y' 'rewritten: the others go, or it is added'

# --- values
filter env TCPREMOTEIP=192.0.2.7 WIDE="$(printf 'a\nBcc: b\r\303\274')" EMPTY= \
	filter-header -a 'X-Ip: from %{TCPREMOTEIP}, 100% of %%{it}: %{NONE}%{EMPTY}.' \
	-a 'X-Wide: %{WIDE}' -a 'X-Who: <%{SENDER}> to %{RECIPIENTS}' \
	-a 'X-Qp: %{QP} %{SIZE}' -a 'X-Date: %{DATE}' -a 'X-Open: %{SENDER' -a 'X-Fold: a
 b'
is "$(header | sed -n 's/^X-Ip: //p')" 'from 192.0.2.7, 100% of %{it}: .' 'variables'
is "$(header | sed -n 's/^X-Wide: //p')" 'a?Bcc: b???' 'a variable is one line'
is "$(header | sed -n 's/^X-Who: //p')" '<s@example.org> to r@example.net R@example.net' 'sender and recipients'
is "$(header | sed -n 's/^X-Qp: //p')" "$pid $(wc -c <"$work/message")" 'qp and size'
like "$(header)" '^X-Date: [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} -0000$' 'date'
is "$(header | sed -n 's/^X-Open: //p')" '%{SENDER' 'what is no variable'
is "$(header | sed -n '/^X-Fold/{p;n;p;}')" 'X-Fold: a
 b' 'a folded value'
envelope "$(printf 'a\nb@c')" "$(printf 'x\ty@z')"
filter filter-header -a 'X-Who: %{SENDER} %{RECIPIENTS}'
is "$(header | sed -n 's/^X-Who: //p')" 'a?b@c x?y@z' 'addresses are one line'
# shellcheck disable=SC2046 # words
envelope '' $(seq -f 'recipient-number-%g@example.org' 500)
filter filter-header -a 'X-Who: <%{SENDER}> %{RECIPIENTS}'
like "$(sed -n '1,/^A:/p' "$work/next.message")" ' \.\.\.$' 'not all of many recipients'
is "$(awk 'length > 998' "$work/next.message")" '' 'and no line is too long'
envelope s@example.org r@example.net
filter filter-header -a "X-Long: $(printf '%3000s' '' | tr ' ' x)"
is "$(awk 'length > 998' "$work/next.message")" '' 'nor is one of one word'

# --- a file of changes
cat >"$work/control/headers" <<'END'
# of all mail
r X-Spam-*
a X-Ip: %{TCPREMOTEIP}

A X-End: 1
w A: #2
END
TCPREMOTEIP=192.0.2.7 filter filter-header -f headers -a 'X-Top: 1'
is "$(header | paste -sd,)" 'X-Top: 1,X-Ip: 192.0.2.7,A: #2,B: 1,X-End: 1' 'a control file'
filter filter-header -a 'X-Top: 1' -f "$work/control/headers"
is "$(header | head -n 2 | paste -sd,)" 'X-Ip:,X-Top: 1' 'any file, in its turn'
for line in 'x A: 1' 'aA: 1' 'a A' 'a A b: 1' 'r A: 1' 'r *' 'a A*: 1' 'a : 1' a; do
	echo "$line" >"$work/control/wrong"
	filter filter-header -f wrong
	is "$code $(cut -d: -f1-3 "$work/log")" '55 filter-header: fatal: wrong' "a wrong line: $line"
done
filter filter-header -f none
is "$code $(cat "$work/log")" '55 filter-header: fatal: none: file does not exist' 'no file'
for wrong in '-a A' '-a A*:1' '-w :1' '-r A:1' '-r *' '-A' '-z'; do
	# shellcheck disable=SC2086 # options
	(set -f; filter filter-header $wrong)
	is "$(tail -n 1 "$work/log" | cut -d: -f1-2)" 'filter-header: usage' "wrong use: $wrong"
done
filter filter-header -w 'A: 1' -a 'no field'
is "$code $(head -n 1 "$work/log")" '100 filter-header: option -a makes no sense: no field' \
	'which option is wrong'

# shellcheck disable=SC2046 # words
filter filter-header $(seq -f '-rX%g' 201)
is "$code" 100 'too many changes'

# --- messages of all kinds
short 'no header' '' 'X: body'
filter filter-header -a 'X: y' -r X-Gone
is "$code $(head -n 3 "$work/next.message" | paste -sd,)" '0 X: y,,no header' 'no header: it gets one'
: >"$work/message"
filter filter-header -A 'X: y'
is "$code $(paste -sd, "$work/next.message")" '0 X: y,' 'no byte at all'
printf 'A: 1' >"$work/message"
filter filter-header -A 'X: y'
is "$(cat "$work/next.message")" 'A: 1
X: y' 'no line end'
printf 'A: 1\r\nX: 2\r\n\r\nX: \000body' >"$work/message"
filter filter-header -r X -A 'X: y'
printf 'A: 1\r\nX: y\n\r\nX: \000body' >"$work/wanted"
same_file "$work/next.message" "$work/wanted" 'CRs and NULs'
for through in 'file' 'pipe'; do
	message full
	yes 'X-More: and more of it and so on' | head -c 300000 >"$work/full"
	cat "$work/full" "$work/message" >"$work/head"
	mv "$work/head" "$work/message"
	mkdir -p "$work/kept"
	FILTER_FAIL=open FILTER_MAXSIZE=10 FILTER_QUARANTINE=$work/kept \
		filter filter-header -r X-More
	refused_with 82 "DYour email's header is too long (#5.6.0)" "a header of 300 kB, $through"
	logged 'HEADER:[0-9.]+s:-:.*' "a header of 300 kB, $through: log"
	is "$(ls "$work/kept" | wc -l)" 1 "a header of 300 kB, $through: quarantine"
	rm -r "$work/kept"/*
	filter filter-header -s /nowhere -t 5 -m 10 -o -x -q "$work/kept" -r X-More
	is "$code $(ls "$work/kept" | wc -l)" '82 1' "a header of 300 kB, $through: -q"
	rm -r "$work/kept"
done
message hello
FILTER_MAXSIZE=10 filter filter-header -r Date
unlike "$(header)" '^Date' 'a long message, too'
if is_plain '100 MB'; then
	lengthen 100000000
	for through in 'file' 'pipe'; do
		(
			ulimit -v 8192
			filter filter-header -a 'X: y' true
			is "$code $(cat "$work/text" "$work/log" | cut -d: -f3)" \
				'0 EDITED' "100 MB in 8 MB, $through"
			exit "$failed"
		)
		failed=$?
		count=$((count + 1))
	done
fi

# --- as a client sees it
message hello
chain filter-header -a "'X-Ip: %{TCPREMOTEIP}'" -r X-Mailer
like "$(smtp smtpd)" '^250 ok [0-9]+ qp [0-9]+$' 'smtpd'
is "$(sed -n 1p "$work/next.message")" 'X-Ip: 127.0.0.1' 'smtpd: the field'
if is_here mailfront mailfront; then
	like "$(RELAYCLIENT='' smtp mailfront smtp qmail accept)" '^250 ' 'mailfront'
	is "$(sed -n 1p "$work/next.message")" 'X-Ip: 127.0.0.1' 'mailfront: the field'
fi
printf 'Fs@example.org\0' >"$work/envelope"
through='file'
filter filter-header -a 'X: y'
is "$code $(cat "$work/log")" '54 ' 'a client that went away'
done_testing
