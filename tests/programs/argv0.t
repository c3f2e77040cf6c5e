#!/bin/sh
# argv0: the program that runs, the name it is told, and Debian's texts and exit
# codes.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need /usr/bin/argv0 perl

# both WHAT ARGUMENT…: the same from both; $out $log $code are ours.
both() {
	what=$1
	shift
	for side in "$bin" /usr/bin; do
		code=0
		"$side/argv0" "$@" >"$work/out" 2>"$work/log" </dev/null || code=$?
		[ "$side" = "$bin" ] && cp "$work/out" "$work/out.ours" &&
			cp "$work/log" "$work/log.ours" && ours=$code
	done
	is "$ours $(cat "$work/log.ours")" "$code $(cat "$work/log")" "$what: exit code and text as Debian's"
	same_file "$work/out.ours" "$work/out" "$what: and what comes out"
	code=$ours
	out=$(cat "$work/out.ours")
	log=$(cat "$work/log.ours")
}

both 'no arguments'
is "$code $log" '100 argv0: usage: argv0 realname program [ arg ... ]' 'the usage, 100'
both 'one argument' sh
both 'another name' sh 'a name' -c 'echo "$0" "$#"'
is "$out" 'a name 0' 'is what the program is told'
both 'as ps sees it' perl 'a name' -e 'open F, "/proc/self/cmdline"; print <F>'
is "$(printf %s "$out" | tr '\000' '|' | cut -c 1-6)" 'a name' 'is argument 0'
both 'no name at all' perl '' -e 'open F, "/proc/self/cmdline"; print length <F>'
both 'arguments go on' sh x -c 'printf "<%s>" "$@"' - '' -z 'two words'
is "$out" '<><-z><two words>' 'as they are'
both 'the exit code' sh x -c 'exit 42'
both 'a program with a path' /bin/sh x -c 'echo here'
both 'an absent program' "$work/absent" x
is "$code $log" "111 argv0: fatal: unable to run $work/absent: file does not exist" 'is 111'
both 'an absent program in the PATH' no-such-program x
both 'what looks like an option' -z x
echo 'no program' >"$work/plain"
both 'no right to run it' "$work/plain" x
chmod 755 "$work/plain"
both 'a folder' "$work" x
both 'a name as in the PATH is not searched by the other' true no-such-program
done_testing
