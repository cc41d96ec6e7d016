//! The C library: its symbols, its headers, and programs in C that use it.

mod arguments;
#[path = "../common/mod.rs"]
mod common;
mod documentation;
mod header;
mod install;
mod programs;
mod symbols;
mod table;
