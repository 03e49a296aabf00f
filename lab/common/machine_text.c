/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "machine_text.h"

static const struct {
	const char *name;
	uint32_t bit;
} names[] = {
	{ "fwb", S2M_FWB },
	{ "tlbirange", S2M_TLBIRANGE },
	{ "ttl", S2M_TTL },
	{ "hafdbs", S2M_HAFDBS },
	{ "xnx", S2M_XNX },
	{ "bbm1", S2M_BBM1 },
	{ "bbm2", S2M_BBM2 },
	{ "ets2", S2M_ETS2 },
	{ "lpa2", S2M_LPA2 },
	{ "idc", S2M_IDC },
	{ "dic", S2M_DIC },
	{ "agent", S2M_AGENT },
	{ "repeat-tlbi", S2M_REPEAT_TLBI },
	{ "speculative-at", S2M_SPECULATIVE_AT },
	{ "conflicts", S2M_CONFLICTS },
	{ "self-sync", S2M_SELF_SYNC },
	{ "cold-tlbs", S2M_COLD_TLBS },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

bool machine_features(const char *text, uint32_t *features)
{
	size_t len, i;

	*features = 0;
	if (!strcmp(text, "none"))
		return true;
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		for (i = 0; i < NAMES; i++) {
			if (strlen(names[i].name) == len &&
			    !strncmp(names[i].name, text, len))
				break;
		}
		if (i == NAMES)
			return false;
		*features |= names[i].bit;
		if (!text[len])
			return true;
	}
}

void machine_features_text(uint32_t features, char *buf, size_t n)
{
	size_t at = 0;

	snprintf(buf, n, "none");
	for (size_t i = 0; i < NAMES && at < n; i++) {
		if (features & names[i].bit)
			at += (size_t)snprintf(buf + at, n - at, "%s%s", at ? "," : "",
					       names[i].name);
	}
}
