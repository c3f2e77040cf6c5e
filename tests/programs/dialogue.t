#!/bin/sh
# The runner of dialogues itself: a case that is not as it should be must fail,
# with a word of why.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

# fails WORD NAME: the case on standard input fails and says WORD
fails() {
	{ echo '== a case'; cat; } >"$work/case.txt"
	dialogue ${mode-} "$work/case.txt" >"$work/tap" 2>&1
	code=$?
	if [ $code -eq 1 ] && grep -q '^not ok 1 - a case' "$work/tap" &&
		grep -q "^# .*$1" "$work/tap"; then
		ok "$2"
	else
		not_ok "$2" "exit $code: $(cat "$work/tap")"
	fi
}

fails 'wanted 221' 'another reply' <<'END'
S: 220 *
C: NOOP
S: 221 *
END
fails 'wanted 250 O' 'a pattern is exact' <<'END'
S: 220 *
C: NOOP
S: 250 O*
END
fails 'more than wanted: 250 ok' 'a reply too many' <<'END'
S: 220 *
C: NOOP
END
fails 'got *the end' 'a reply too few' <<'END'
S: 220 *
C: QUIT
S: 221 *
S: 221 *
END
fails 'nothing came' 'a server that does not end' <<'END'
limit 1
S: 220 *
EOF
END
fails 'exit code 0, wanted 7' 'another exit code' <<'END'
S: 220 *
C: QUIT
S: 221 *
EOF
STATUS: 7
END
fails 'log wanted' 'a line that is not in the log' <<'END'
S: 220 *
LOG: nothing of the kind
END

message='S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: text
C: .
S: 250 ok *'
fails 'a message too many' 'a message that nobody spoke of' <<END
$message
END
fails 'no such message' 'a message that is not there' <<END
$message
E: *
E: *
END
fails 'wanted F.0Tv@' 'another envelope' <<END
$message
E: F\\0Tv@example.org\\0\\0
END
fails 'wanted tex' 'another text' <<END
$message
E: *
M: tex
END
fails 'wanted Received: from other' 'another trace' <<END
$message
E: *
T: Received: from other*
END
mode=-s
fails 'cut after byte 1:' 'a case that fails when it is cut' <<'END'
S: 220 *
C: NOOP
S: 250 no
END
mode=-a
fails 'wanted 250 no' 'a case that fails in one segment' <<'END'
S: 220 *
C: NOOP
S: 250 no
END

printf '== a case\nS 220\n' >"$work/case.txt"
dialogue "$work/case.txt" >"$work/tap" 2>&1
like "$(cat "$work/tap")" 'case.txt:2: what is this: S 220' 'an unknown line'
printf '== a case\nS: 220 *\n' >"$work/case.txt"
is "$(dialogue "$work/case.txt" -- nothing-of-the-kind 2>&1 | head -n 1)" \
	'not ok 1 - a case' 'a server that is not there'

done_testing
