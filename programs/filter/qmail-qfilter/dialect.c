/* SPDX-License-Identifier: ISC */
#include "dialect.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

enum {
	BLACKHOLE = 2,
	DELIVERY_NEVER = 100,
	DELIVERY_TRY_AGAIN = 111,
	/* The younger family's word for an envelope that is none. */
	BAD_ENVELOPE_OF_SAGREDO = 79,
};

static const struct dialect dialects[] = {
	{ .name = "bruceg", .bad_envelope = QUEUE_BAD_ENVELOPE },
	{ .name = "sagredo",
	  .knows_delivery_codes = true,
	  .reads_text_from_log = true,
	  .has_control_file = true,
	  .bad_envelope = (enum queue_exit_code)BAD_ENVELOPE_OF_SAGREDO },
};

const struct dialect *dialect_from_environment(void)
{
	const char *name = getenv("QQF_DIALECT");

	if (!name || !*name) return &dialects[0];
	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
		if (strcmp(dialects[i].name, name) == 0) return &dialects[i];
	return NULL;
}

int dialect_code(const struct dialect *dialect, int exit_code)
{
	if (!dialect->knows_delivery_codes) return exit_code;
	switch (exit_code) {
	case BLACKHOLE: return FILTER_DISCARDS;
	case DELIVERY_NEVER: return QUEUE_REFUSED;
	case DELIVERY_TRY_AGAIN: return QUEUE_TRY_AGAIN;
	default: return exit_code;
	}
}
