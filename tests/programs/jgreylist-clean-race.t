#!/bin/sh
# jgreylist-clean without a pause, while clients come as fast as they can:
# whatever is taken away under its hands, jgreylist has a verdict for each.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need perl

mkdir -m 700 "$work/tree"
JGREYLIST_DIR=$work/tree
export JGREYLIST_DIR

# Four times 500 contacts from six networks that share folders; two thirds of
# them find an entry that is due to go.
cat >"$work/clients" <<'END'
use strict;
use warnings;
my ($worker, $contacts) = @ARGV;
srand $worker;
for my $contact (1 .. $contacts) {
	my @byte = (10, int rand 2, int rand 3, 1 + int rand 200);
	my $entry = sprintf "$ENV{JGREYLIST_DIR}/%03d/%03d/%03d", @byte[0 .. 2];
	my $old = time - 40 * 86400;
	utime $old, $old - (int rand 2) * 86400, $entry if rand() < .67;
	pipe my $reader, my $writer or die;
	my $pid = fork // die;
	if (!$pid) {
		open STDIN, "<", "/dev/null" or die;
		open STDOUT, ">&", $writer or die;
		open STDERR, ">&STDOUT" or die;
		$ENV{TCPREMOTEIP} = join ".", @byte;
		exec "jgreylist", "echo", "let in" or die;
	}
	close $writer;
	my @said = <$reader>;
	waitpid $pid, 0;
	s/^jgreylist\[\d+\]: [\d.]+: //, s/\r?\n// for @said;
	print join("|", $?, @said), "\n";
}
END

(
	while [ ! -e "$work/done" ]; do
		jgreylist-clean -v -o 1 >>"$work/cleaned" 2>&1 || echo "failed $?" >>"$work/cleaned"
	done
) &
cleaner=$!
started="$started $cleaner"
workers=
for worker in 1 2 3 4; do
	perl "$work/clients" $worker 500 >"$work/verdicts$worker" 2>&1 &
	workers="$workers $!"
	started="$started $!"
done
for worker in $workers; do wait "$worker"; done
: >"$work/done"
wait "$cleaner"

cat "$work"/verdicts? >"$work/verdicts"
is "$(wc -l <"$work/verdicts" | tr -d ' ')" 2000 'each client has been answered'
is "$(grep -Ev '^0\|(GREY (first time|too soon)\|220 jgreylist v8|OK known\|let in)$' "$work/verdicts" | sort | uniq -c)" \
	'' 'by a verdict, and nothing else'
for verdict in 'GREY first time' 'OK known'; do
	like "$(sort -u "$work/verdicts")" "$verdict" "there were some: $verdict"
done
like "$(sed 's/^\([a-z]* \).*:/\1ENTRY:/' "$work/cleaned" | sort -u)" '^removed .*: never returned$' 'meanwhile entries were removed'
is "$(grep -Ev '^(kept|removed) [0-9/]+(: [a-z ]+)?$|^looked at ' "$work/cleaned")" '' \
	'and jgreylist-clean found nothing wrong'
echo "# $(grep -c '^looked at' "$work/cleaned") runs, $(grep -c '^removed' "$work/cleaned") removed, $(cut -d'|' -f2 "$work/verdicts" | sort | uniq -c | tr -s ' \n' ' ')"
done_testing
