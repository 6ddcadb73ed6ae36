# shellcheck shell=bash
# The real cdc-acm, which says how many blocks are under way.
stick_session acm
