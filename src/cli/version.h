// The version: see base/version.h.
#pragma once

#include "base/version.h"
