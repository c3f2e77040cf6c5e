/* Command-line options in the manner of ucspi-tcp: short letters that may be
   clustered, up to the first word that is none.
   SPDX-License-Identifier: ISC */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

/* The next option of `letters` (in getopt's form), or -1 at the end; `optarg`
   and `optind` are getopt's. An unknown letter or a missing argument ends the
   program: two lines, "PROGRAM: illegal option -- z" and the usage, exit 100. */
int option_next(int argc, char **argv, const char *letters,
		const char *synopsis);

/* An option's number within the bounds; anything else is wrong use. */
unsigned long option_number(int letter, unsigned long minimum,
			    unsigned long maximum, const char *synopsis);

enum { OPTION_WORDS = 64 };

/* For programs that are often run without a command line, as $QMAILQUEUE is: where
   argv has one word alone and the variable is set, the command line that its words
   make, with blanks between them and no more than OPTION_WORDS. Otherwise argv. */
char **option_words(const char *variable, int *argc, char **argv);

#endif
