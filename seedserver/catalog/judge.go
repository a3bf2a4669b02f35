package catalog

// judge decides whether n, in a directory that is let in, is let in too.
func (c *core) judge(n *node) verdict {
	switch {
	case n.parent == nil:
		return accepted
	case len(n.path) > c.cfg.maxPath():
		return leftOut("path longer than %d bytes", c.cfg.maxPath())
	case n.kind == directory && n.depth >= c.cfg.maxDepth():
		return leftOut("more than %d directories deep", c.cfg.maxDepth())
	}
	if v := judgeName(n.name(), n.kind); !v.in() {
		return v
	}
	outermost := c.unitDirectory(n)
	if v := c.rules.judgeExcluded(n.path); !v.in() {
		return v
	}
	if outermost == nil && n.kind == regular {
		if v := c.rules.judgeContent(n.path, n.stamp.Size); !v.in() {
			return v
		}
	}
	inside := true // the unit, if there is one
	for above := n.parent; above != nil; above = above.parent {
		if v := above.judgeBelow(n, n.kind == regular && inside); !v.in() {
			return v
		}
		if above == outermost {
			inside = false
		}
	}
	return accepted
}

// judgeBelow applies the rules of directory d to n.
func (d *node) judgeBelow(n *node, content bool) verdict {
	if d.rules.problem != "" {
		return leftOut("%s", d.rules.problem)
	}
	if d.rules.set == nil {
		return accepted
	}
	rel := n.relative(d)
	if v := d.rules.set.judgeExcluded(rel); !v.in() {
		return v
	}
	if content {
		return d.rules.set.judgeContent(rel, n.stamp.Size)
	}
	return accepted
}

// unitDirectory returns the directory of the unit that n is inside of, or nil.
func (c *core) unitDirectory(n *node) *node {
	if unit := n.parent.unit; unit != nil {
		return unit.node
	}
	return nil
}

// judgeUnit applies to a unit of so many bytes what the rules above it say
// about files.
func (c *core) judgeUnit(n *node, size int64) verdict {
	if n.parent == nil {
		return accepted
	}
	if v := c.rules.judgeContent(n.path, size); !v.in() {
		return v
	}
	for above := n.parent; above != nil; above = above.parent {
		if set := above.rules.set; set != nil {
			if v := set.judgeContent(n.relative(above), size); !v.in() {
				return v
			}
		}
	}
	return accepted
}

// isUnit reports whether directory n, which is in no unit, is to be one.
func (c *core) isUnit(n *node) bool {
	if n.rules.set != nil && n.rules.set.Unit {
		return true
	}
	return n.parent != nil && matchAny(c.units, n.path)
}
