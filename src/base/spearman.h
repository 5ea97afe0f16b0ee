// Spearman's rank correlation: whether two lists of figures agree on the order.
#pragma once

#include <span>

namespace fye {

// -1..1; equal values share their mean rank. NaN for fewer than two values or where all of one side are
// equal. a and b have one length.
double spearman(std::span<const double> a, std::span<const double> b);

}  // namespace fye
