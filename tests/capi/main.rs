//! The C library: its symbols, its headers, and programs in C that use it.

#[path = "../common/mod.rs"]
mod common;
mod header;
mod install;
mod programs;
mod symbols;
mod table;
