#!/bin/sh
# What all content filters share (lib/mail/filter), where it is not for one of them
# to try: wrong settings, simscan's variables, the quarantine, a domain's own
# queue program. With filter-attachment, which needs no daemon.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/filters.sh"

echo .exe >"$work/control/ssattach"
envelope s@example.org r@example.net other@example.net
# with SUFFIX: a message with a file of that
with() {
	message "with $1" "Content-Type: application/x; name=file$1" '' 'no more'
	sed -i '/^$/d; s/^no more/\n&/' "$work/message"
}

# --- wrong settings
with .txt
for wrong in FILTER_FAIL=yes FILTER_TIMEOUT=0 FILTER_TIMEOUT=1m FILTER_TIMEOUT=86401 \
	FILTER_MAXSIZE=-1 FILTER_MAXSIZE=10k; do
	filter env "$wrong" filter-attachment
	is "$code $(cat "$work/log")" \
		"55 filter-attachment: fatal: \$${wrong%%=*} makes no sense" "$wrong"
done
filter env FILTER_FAIL= FILTER_TIMEOUT= FILTER_MAXSIZE= FILTER_QUARANTINE= filter-attachment
went_on 'variables that are empty are not set'
filter env FILTER_TIMEOUT=5 FILTER_MAXSIZE=0 FILTER_FAIL=closed filter-attachment
went_on 'and with sense'
for wrong in '-t 0' '-t x' '-t 86401' '-m -1' '-m 1k' -t; do
	# shellcheck disable=SC2086 # options
	filter filter-attachment $wrong
	like "$code $(tail -n 1 "$work/log")" '^100 filter-attachment: usage: ' "wrong use: $wrong"
done

# --- SIMSCAN_DEBUG
# debug LEVEL: what is in the log beside the usual line
debug() {
	filter env SIMSCAN_DEBUG="$1" filter-attachment
	sed -n 's/^filter-attachment:\[[0-9]*\]: //p' "$work/log" >"$work/debug"
}
for level in '' 0 no; do
	debug "$level"
	is "$(cat "$work/debug")" '' "SIMSCAN_DEBUG=$level: nothing more"
done
debug 1
is "$(cat "$work/debug")" "starting: bytes $(wc -c <"$work/message") recipients 2" \
	'SIMSCAN_DEBUG=1: what there is to do'
debug 2
like "$(cat "$work/debug")" '^socket - seconds 60 limit 0 closed$' 'SIMSCAN_DEBUG=2: the settings'
like "$(cat "$work/debug")" '^no simcontrol.cdb$' 'SIMSCAN_DEBUG=2: simcontrol'
unlike "$(cat "$work/debug")" '^attachment|^from' 'SIMSCAN_DEBUG=2: not everything'
debug 3
like "$(cat "$work/debug")" '^attachment file.txt$' 'SIMSCAN_DEBUG=3: what is compared'
debug 4
is "$(sed -n '/^from/,/^to.*other/p' "$work/debug" | paste -sd' ')" \
	'from <s@example.org> to <r@example.net> to <other@example.net>' \
	'SIMSCAN_DEBUG=4: the envelope'
debug 99
like "$(cat "$work/debug")" '^from <s@example.org>$' 'SIMSCAN_DEBUG=99: everything'
envelope "$(printf 'a\nfilter-attachment:[1]:CLEAN')@example.org" r@example.net
debug 4
is "$(grep -c '^filter-attachment:\[1\]' "$work/log")" 0 'no address makes a line of its own'
envelope s@example.org r@example.net other@example.net

# --- SIMSCAN_DEBUG_FILES, NOP0FCHECK
# kept FOLDER: how many copies
kept() {
	find "$1" -type f | wc -l
}
with .exe
filter env SIMSCAN_DEBUG_FILES=1 filter-attachment
is "$code $(kept "$TMPDIR")" '82 1' 'SIMSCAN_DEBUG_FILES=1: what is not accepted is kept'
sed '1,/^X-Envelope-To: other@example.net$/d' "$TMPDIR"/* >"$work/got"
same_file "$work/got" "$work/message" 'SIMSCAN_DEBUG_FILES=1: all of it'
rm "$TMPDIR"/*
with .txt
filter env SIMSCAN_DEBUG_FILES=1 filter-attachment
is "$code $(kept "$TMPDIR")" '0 0' 'SIMSCAN_DEBUG_FILES=1: nothing else is'
filter env SIMSCAN_DEBUG_FILES=2 filter-attachment
went_on 'SIMSCAN_DEBUG_FILES=2'
is "$(kept "$TMPDIR")" 1 'SIMSCAN_DEBUG_FILES=2: everything is kept'
rm "$TMPDIR"/*
filter env SIMSCAN_DEBUG_FILES=2 TMPDIR="$work/nowhere" filter-attachment
went_on 'a copy that cannot be kept is no reason'
# As somebody may have left it in /tmp for us.
mkdir "$work/trap" "$work/shared"
ln -s ../trap "$work/shared/new"
ln -s ../trap "$work/shared/tmp"
filter env SIMSCAN_DEBUG_FILES=2 TMPDIR="$work/shared" filter-attachment
went_on 'a copy beside a link named new'
is "$(kept "$work/shared") $(kept "$work/trap")" '1 0' 'nothing goes through the links'
filter env NOP0FCHECK=1 filter-attachment
went_on NOP0FCHECK

# --- the quarantine
with .exe
filter filter-attachment -q "$work/nowhere"
is "$code $(grep -c 'cannot write into the quarantine' "$work/log")" '82 1' \
	'no quarantine: refused all the same'
mkdir -p "$work/kept/new" "$work/kept/cur" "$work/kept/tmp"
filter filter-attachment -q "$work/kept"
is "$code $(kept "$work/kept") $(kept "$work/kept/new")" '82 1 1' 'a Maildir'
is "$(stat -c %a "$work/kept/new"/*)" 600 'for nobody else'
is "$(sed -n 1p "$work/kept/new"/*)" 'X-Quarantine: filter-attachment ATTACH file.exe' 'why'
filter env FILTER_QUARANTINE="$work/kept" filter-attachment -q ''
is "$code $(kept "$work/kept")" '82 1' "-q '': none"

# --- a domain's own queue program
if is_here simscanmk 'qmailqueue'; then
	with .txt
	printf '%s\n' '#!/bin/sh' "echo own >>'$work/ends'" 'exec cat >/dev/null' \
		>"$work/own"
	printf '%s\n' '#!/bin/sh' "echo usual >>'$work/ends'" 'exec cat >/dev/null' \
		>"$work/usual"
	chmod 755 "$work/own" "$work/usual"
	printf '%s\n' "example.net:clam=yes,attach=.exe,qmailqueue=$work/own" \
		>"$work/control/simcontrol"
	simscanmk
	# goes_to PROGRAM NAME STAGE…: where a chain of these ends
	goes_to() {
		wanted=$1 name=$2
		shift 2
		rm -f "$work/ends"
		code=0
		(exec "$@" <"$work/message" 1<"$work/envelope" 2>"$work/log" 6>"$work/text") ||
			code=$?
		is "$code $(cat "$work/ends" 2>&1)" "$wanted" "qmailqueue: $name"
	}
	goes_to '0 own' 'without an end' filter-attachment
	goes_to '0 own' 'in the place of another' filter-attachment "$work/usual"
	goes_to '0 own' 'at the end' filter-attachment filter-header -a 'X: y' "$work/usual"
	goes_to '0 own' 'behind a filter that stands alone' filter-attachment filter-header
	is "$(grep -c '^filter-header' "$work/log")" 1 'qmailqueue: which is not left out'
	with .exe
	rm -f "$work/ends"
	filter filter-header -a 'X: y' filter-attachment
	is "$code" 82 'qmailqueue: no filter is left out'
	with .txt
	goes_to '0 usual' 'an end with arguments is not known as one' \
		filter-attachment "$work/usual" argument
	envelope s@example.org r@example.org
	goes_to '0 usual' 'for another domain' filter-attachment "$work/usual"
fi

done_testing
