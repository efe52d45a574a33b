// Package cgroup takes the place of the standard library's internal/runtime/cgroup
// in the product (see the Makefile). That one reads how much of the processors
// the process's control group may use, to set GOMAXPROCS by it, until the program
// sets GOMAXPROCS. The daemon does, and what else there is runs on one processor.
package cgroup

// ScratchSize is how much memory OpenCPU needs.
const ScratchSize = 0

// CPU stands for the files that have the limit.
type CPU struct{}

// Close closes them.
func (CPU) Close() {}

// OpenCPU opens them.
func OpenCPU([]byte) (CPU, error) { return CPU{}, nil }

// ReadCPULimit tells that there is no limit.
func ReadCPULimit(CPU) (float64, bool, error) { return 0, false, nil }
