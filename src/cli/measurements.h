// Times, losses and books of a model: see runtime/measurements.h.
#pragma once

#include "runtime/measurements.h"
