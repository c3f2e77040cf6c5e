#!/bin/sh
# smtpd(8) has all that its sources have: settings, control files and log lines,
# and what is searched or looked up by eye is in its order.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

page=$top/man/smtpd.8
sources=$top/programs/smtp/smtpd

# section NAME: its lines in the page
section() {
	awk -v name="$1" '/^\.Sh / { inside = $0 == ".Sh " name } inside' "$page"
}
# are_there LIST WHERE NAME: each line of LIST is within a line of WHERE
are_there() {
	missing=
	while IFS= read -r wanted; do
		grep -qF -e "$wanted" "$2" || missing="$missing$wanted, "
	done <"$1"
	like "$(wc -l <"$1")" '^ *[0-9]{2,}$' "$3: they are found in the sources"
	is "$missing" '' "$3: each is in the page"
}
# is_sorted FILE NAME: its first words are in the order of their bytes
is_sorted() {
	sed 's/ .*//' "$1" >"$work/words"
	is "$(sort -c "$work/words" 2>&1)" '' "$2"
}

# Settings: rows of the table, and what is read elsewhere. Those that no operator
# sets are in pages of their own.
sed -n 's/^	{ "\([A-Z0-9_]*\)", .*/\1/p' "$sources/settings.c" >"$work/table"
is_sorted "$work/table" 'the table of settings is searched: it is sorted'
section ENVIRONMENT | sed -n 's/^\.It Ev //p' >"$work/entries"
is_sorted "$work/entries" 'ENVIRONMENT is sorted'
{
	cat "$work/table"
	grep -ohE 'getenv\("[A-Z0-9_]+"' "$sources"/*.c | sed 's/.*("//; s/"//' |
		grep -vE '^(PATH|SSL_.*|TLSD_.*)$'
} | sort -u >"$work/settings"
tr -d , <"$work/entries" | tr ' ' '\n' | sed 's/.*/<&>/' >"$work/names"
sed -i 's/.*/<&>/' "$work/settings"
are_there "$work/settings" "$work/names" 'settings'

# Control files.
section FILES | sed -n 's/^\.It Pa //p' >"$work/entries"
is_sorted "$work/entries" 'FILES is sorted'
grep -ohE '(\.name = |what = |read_number\(|read_line\(|path\([^"]*)"[a-z.]+"' \
	"$sources"/*.c | sed 's/.*"\(.*\)"/<\1>/' | sort -u >"$work/files"
tr -d , <"$work/entries" | tr ' ' '\n' | sed 's/.*/<&>/' >"$work/names"
are_there "$work/files" "$work/names" 'control files'

# Log lines: of each the words before the first value.
{
	grep -ohE 'note\("[^"%]+' "$sources/log.c"
	grep -ohE 'log_(event|address|pair)\([^"]*"[^"]+' "$sources"/*.c
} | sed 's/.*"//; s/[ :(]*$//' | grep -v '^$' | sort -u >"$work/lines"
section DIAGNOSTICS >"$work/names"
are_there "$work/lines" "$work/names" 'log lines'
done_testing
