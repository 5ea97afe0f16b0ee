// This machine as profiles and books name it: see runtime/machine.h.
#pragma once

#include "runtime/machine.h"
