#!/bin/sh
# spfcheck: the public test suites of SPF, over real DNS packets.
. "$(dirname "$0")/../lib.sh"

/usr/bin/python3 -c 'import yaml' 2>/dev/null || need python3-yaml

suites=$tests/suites/spf
spf-suite "$tests/spf-cases.yml" "$suites"/*-test*.yml "$suites"/mail-auth/*.yml \
	>"$work/results" 2>"$work/errors"
code=$?
grep -v '^ok' "$work/results" | sed 's/^/# /'
is "$code $(cat "$work/errors")" "0 " "all that the suites ask for is so"

# suite FILES TESTS NAME: none of them has been left out
suite() {
	is "$(grep -Ec "^ok [0-9]+ - ($1).yml: " "$work/results")" "$2" "$3"
}
suite rfc7208-tests 203 "the 203 tests of RFC 7208"
suite rfc4408-tests 191 "the 191 tests of RFC 4408"
suite pyspf-test 16 "the 16 of pyspf"
suite 'a|all|basic|examples|exists|exp|include|ip|macro|mx|ptr|redirect' 163 \
	"the 163 of mail-auth"
suite spf-cases 107 "and 107 of our own"
done_testing
