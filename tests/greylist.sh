# What the tests of the greylist share, behind lib.sh: a store, contacts of
# clients with it, and entries of any age.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for the tests, and from lib.sh

for name in $(env | sed -n 's/^\(JGREYLIST[A-Z_]*\)=.*/\1/p'); do
	unset "$name"
done
store=$work/store
mkdir -m 700 "$store"
JGREYLIST_DIR=$store
export JGREYLIST_DIR
printf 'RCPT TO:<a@b.example>\r\nQUIT\r\n' >"$work/client"

# contact ARGUMENT…: jgreylist for a client that tries one recipient; the
# arguments are env's. $verdict is what the log says behind the usual prefix,
# $reply what the recipient got, or "let in"; $code is the exit code.
contact() {
	code=0
	env "$@" jgreylist echo let in <"$work/client" >"$work/out" \
		2>"$work/err" || code=$?
	log=$(cat "$work/err")
	verdict=$(sed 's/^jgreylist\[[0-9]*\]: //' "$work/err")
	out=$(tr -d '\r' <"$work/out")
	reply=$(printf '%s\n' "$out" | grep -v '^2')
}
# from IP ARGUMENT…: the same with the client's address.
from() {
	client_ip=$1
	shift
	contact "TCPREMOTEIP=$client_ip" "$@"
}
# is_verdict VERDICT REPLY NAME: of the last contact, that ended well.
is_verdict() {
	is "$code|$verdict|$reply" "0|$1|$2" "$3"
}
# is_first IP NAME and so on
is_first() {
	is_verdict "$1: GREY first time" '450 GREYLIST Try again later.' "$2"
}
is_too_soon() {
	is_verdict "$1: GREY too soon" '450 GREYLIST I said to try later.' "$2"
}
is_known() {
	is_verdict "$1: OK known" 'let in' "$2"
}
is_let_in() {
	is_verdict "$1" 'let in' "$2"
}

# age ENTRY FIRST [LAST]: its times, in seconds ago.
age() {
	now=$(date +%s)
	touch -m -d "@$((now - $2))" "$store/$1"
	touch -a -d "@$((now - ${3-$2}))" "$store/$1"
}
# read_times ENTRY: into $first and $last
read_times() {
	first=$(stat -c %Y "$store/$1")
	last=$(stat -c %X "$store/$1")
}
# is_recent TIME NAME: not older than the test could be
is_recent() {
	now=$(date +%s)
	if [ "$1" -le "$now" ] && [ "$1" -gt $((now - 50)) ]; then ok "$2"
	else not_ok "$2" "$1, and now is $now"; fi
}
# the_store: all that is in it, without the times
the_store() {
	(cd "$store" && find . -mindepth 1 -printf '%P %#m %y\n' | sort)
}
empty_the_store() {
	rm -rf "$store"
	mkdir -m 700 "$store"
}
